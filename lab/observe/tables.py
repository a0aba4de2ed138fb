"""Expected lines of ``ip route`` and ``ip neigh`` beside the tables that the kernel holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from lab.model.events import Mismatch
from lab.model.expectation import Neighbour, RouteLine
from lab.observe.listing import listed, others
from lab.observe.seen import Seen


def route(expected: RouteLine, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare a route with the node's main table; KeyError if that was not looked at."""
    return _line(expected, seen.routes[expected.on], f"routes {expected.on}", "route")


def neighbour(expected: Neighbour, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare a neighbour with the node's table; KeyError if that was not looked at."""
    return _line(expected, seen.neighbours[expected.on], f"neighbours {expected.on}", "neighbour")


def carries(line: str, expected: str) -> bool:
    """Tell whether a line has every word of another.

    The order does not matter, but a word that names a property belongs to the word behind it:
    ``via X``, ``dev Y``, ``src Z``. Addresses are compared as such, so that ``fd00:0::1`` is
    ``fd00::1``, and 0.0.0.0/0 is ``default``.

    >>> carries("default via 22.22.22.1 dev ppp0", "default dev ppp0")
    True
    """
    there = _properties(line)
    return all(there.count(word) >= count for word, count in Counter(_properties(expected)).items())


_NAMES = re.compile(
    "via|dev|src|proto|scope|metric|lladdr|tos|mtu|advmss|hoplimit|window|initcwnd|initrwnd"
    "|quickack|congctl|weight|pref"
)


def _line(
    expected: RouteLine | Neighbour, table: Iterable[object], field: str, noun: str
) -> tuple[Mismatch, ...]:
    lines = [str(entry) for entry in table]
    found = [line for line in lines if carries(line, expected.text)]
    if bool(found) == expected.present:
        return ()
    location = str(expected.location)
    if not expected.present:
        return (
            Mismatch(
                field=field,
                expected=f"no {noun} {expected.text}",
                observed=listed(found),
                location=location,
            ),
        )
    about = [line for line in lines if line.split()[:1] == expected.text.split()[:1]]
    observed = listed(about) if about else others(lines, f"no {noun}")
    return (Mismatch(field=field, expected=expected.text, observed=observed, location=location),)


def _properties(line: str) -> list[tuple[str, ...]]:
    """Split into ``(name, value)`` pairs and single words."""
    words = [word for word in line.split() if word not in ("inet", "inet6")]
    properties: list[tuple[str, ...]] = []
    at = 0
    while at < len(words):
        length = 2 if _NAMES.fullmatch(words[at]) else 1
        name, *value = words[at : at + length]
        properties.append((name, *map(_word, value)) if value else (_word(name),))
        at += length
    return properties


def _word(word: str) -> str:
    """Bring an address, a prefix or a MAC address into the form in which they compare."""
    if word in ("0.0.0.0/0", "::/0"):
        return "default"
    for read in (ip_address, ip_network):
        try:
            return str(read(word)).removesuffix("/32").removesuffix("/128")
        except ValueError:
            continue
    return word.lower() if word.count(":") == 5 else word
