"""Alterations of an expected value: for each field of each expectation, what cannot be true too.

A field that is neither here nor among those that say where to look is a fault of this table, and
told as such. Where something is expected to be absent, only its absence is altered: whatever else
it might be is absent as well.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, Final

from lab.model.address import AddressPattern, Count, TuplePattern
from lab.model.errors import Location
from lab.model.expectation import (
    ConntrackEntry,
    ExitCodeIs,
    Expectation,
    ListeningSocket,
    Neighbour,
    Outcome,
    OutcomeIs,
    Packet,
    Packets,
    Policy,
    RouteLine,
    RuleCounter,
    ServerSaw,
    SourcePort,
    Stdout,
    Sysctl,
    Text,
)
from lab.observe import icmp
from tools.mutation.altered_text import altered_lines, altered_pattern, altered_text, altered_value
from tools.mutation.unnamed import Unnamed

Field = tuple[type, str]


@dataclass(frozen=True, slots=True)
class Alteration:
    """An expectation with one value altered: which (``server.dest.port``), from what, to what."""

    field: str
    before: str
    after: str
    expectation: Expectation


def alterations(expectation: Expectation, unnamed: Unnamed) -> Iterator[Alteration]:
    """Alter each expected value in turn. LookupError for a field that this does not know."""
    for path, before, after, altered in _alter(expectation, unnamed):
        yield Alteration(path, before, after, altered)


def _alter(item: Any, unnamed: Unnamed) -> Iterator[tuple[str, str, str, Any]]:
    """The path to each value of a dataclass, what it was, what it is now, and the whole."""
    absence = _absence(item)
    for each in fields(item):
        value = getattr(item, each.name)
        key = (type(item), each.name)
        if isinstance(value, Location) or key in WHERE or absence not in (None, each.name):
            continue
        if value is None and key not in NONE_IS_A_VALUE:
            continue
        if key in ALTERED:
            for new in ALTERED[key](value, unnamed):
                altered = replace(item, **{each.name: new})
                yield each.name, _show(value), _show(new), altered
        elif not _has_parts(value):
            raise LookupError(f"no alteration for {type(item).__name__}.{each.name}")
        for path, before, after, part in _alter_parts(value, unnamed):
            yield f"{each.name}{path}", before, after, replace(item, **{each.name: part})


def _alter_parts(value: Any, unnamed: Unnamed) -> Iterator[tuple[str, str, str, Any]]:
    """Alter what lies within a value: the fields of a dataclass, or of each of several."""
    if isinstance(value, PARTS):
        for path, before, after, part in _alter(value, unnamed):
            yield f".{path}", before, after, part
    elif isinstance(value, tuple):
        for index, one in enumerate(value):
            for path, before, after, part in _alter_parts(one, unnamed):
                whole = (*value[:index], part, *value[index + 1 :])
                yield f"[{index + 1}]{path}", before, after, whole


def _has_parts(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(isinstance(one, PARTS) for one in value)
    return isinstance(value, PARTS)


def _absence(item: Any) -> str | None:
    """The field by which something is expected to be absent, if it is."""
    match item:
        case ConntrackEntry(count=Count(maximum=0)):
            return "count"
        case Packet(seen=False):
            return "seen"
        case RouteLine(present=False) | Neighbour(present=False) | ListeningSocket(present=False):
            return "present"
    return None


def _show(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_show, value))
    if isinstance(value, Packet):
        return f"{value.node}:{value.interface} {value.tuple} {value.flags or ''}".rstrip()
    return str(value)


def _flipped(value: bool, _: Unnamed) -> Iterable[bool]:
    yield not value


def _count(count: Count, _: Unnamed) -> Iterable[Count]:
    """Fewer than the least, more than the most; one that any number satisfies stays as it is."""
    if count.minimum > 0:
        yield Count(0, count.minimum - 1)
    if count.maximum is not None:
        yield Count(count.maximum + 1, None)
    elif count.minimum == 0:
        yield count


def _outcome(outcome: Outcome, _: Unnamed) -> Iterable[Outcome]:
    yield Outcome.REFUSED if outcome is not Outcome.REFUSED else Outcome.CONNECTED


def _icmp(name: str, _: Unnamed) -> Iterable[str]:
    yield next(other for other in sorted(icmp.NAMES) if not icmp.same(other, name))


def _node(name: str, unnamed: Unnamed) -> Iterable[str]:
    yield unnamed.node(name)


def _errno(name: str, _: Unnamed) -> Iterable[str]:
    yield next(other for other in sorted(errno.errorcode.values()) if other != name)


def _port_rule(rule: str, _: Unnamed) -> Iterable[str]:
    """Kept and rewritten exclude each other; ports that are distinct are taken for kept ones."""
    yield "rewritten" if rule != "rewritten" else "kept"


def _proto(_proto: str, _: Unnamed) -> Iterable[str]:
    # a protocol that no step can send
    yield "dccp"


def _state(_state: str, _: Unnamed) -> Iterable[str]:
    # both ends must open at once for it (RFC 9293, figure 7)
    yield "SYN_SENT2"


def _status(status: tuple[str, ...], _: Unnamed) -> Iterable[tuple[str, ...]]:
    """In turn for each word one that only a network card's own offload gives."""
    for index in range(len(status)):
        yield (*status[:index], "HW_OFFLOAD", *status[index + 1 :])


def _flags(flags: str, _: Unnamed) -> Iterable[str]:
    """The same flags but for URG, which nothing here sends."""
    yield flags.replace("U", "") if "U" in flags else flags + "U"


def _ttl(ttl: int, _: Unnamed) -> Iterable[int]:
    """Far from what any router on the way would make of a usual TTL (RFC 1700: 64)."""
    yield (ttl + 100) % 256


def _order(packets: tuple[Packet, ...], _: Unnamed) -> Iterable[tuple[Packet, ...]]:
    """Swap each two that follow each other, where both must be seen and are not the same."""
    for index, (one, other) in enumerate(pairwise(packets)):
        same = replace(one, location=other.location) == other
        if one.seen and other.seen and not same:
            yield (*packets[:index], other, one, *packets[index + 2 :])


def _policy(policy: str, _: Unnamed) -> Iterable[str]:
    yield "ACCEPT" if policy == "DROP" else "DROP"


def _exit(code: int | None, _: Unnamed) -> Iterable[int]:
    yield 0 if code is None else code + 1


ALTERED: Final[dict[Field, Callable[[Any, Unnamed], Iterable[Any]]]] = {
    (AddressPattern, "ip"): lambda ip, unnamed: [unnamed.ip(ip)],
    (AddressPattern, "port"): lambda port, unnamed: [unnamed.number(port, 65535)],
    (ConntrackEntry, "count"): _count,
    (ConntrackEntry, "proto"): _proto,
    (ConntrackEntry, "state"): _state,
    (ConntrackEntry, "status"): _status,
    (ExitCodeIs, "code"): _exit,
    (ListeningSocket, "present"): _flipped,
    (ListeningSocket, "proto"): _proto,
    (Neighbour, "present"): _flipped,
    (Neighbour, "text"): altered_lines,
    (OutcomeIs, "icmp"): _icmp,
    (OutcomeIs, "outcome"): _outcome,
    (Packet, "flags"): _flags,
    (Packet, "proto"): _proto,
    (Packet, "seen"): _flipped,
    (Packet, "ttl"): _ttl,
    (Packets, "packets"): _order,
    (Policy, "policy"): _policy,
    (RouteLine, "present"): _flipped,
    (RouteLine, "text"): altered_lines,
    (RuleCounter, "count"): _count,
    (RuleCounter, "hits"): _count,
    (RuleCounter, "packets"): _count,
    (RuleCounter, "text"): altered_text,
    (ServerSaw, "errno"): _errno,
    (ServerSaw, "node"): _node,
    (SourcePort, "rule"): _port_rule,
    (Sysctl, "value"): altered_value,
    (Text, "contains"): altered_text,
    (Text, "equals"): altered_text,
    (Text, "matches"): altered_pattern,
}
"""What a value of each field becomes, one after the other."""

PARTS: Final = (AddressPattern, Packet, Text, TuplePattern)
"""Values whose own fields are altered."""

NONE_IS_A_VALUE: Final[frozenset[Field]] = frozenset({(ExitCodeIs, "code")})
"""Fields in which None expects something too."""

WHERE: Final[frozenset[Field]] = frozenset(
    {
        (AddressPattern, "text"),
        (ConntrackEntry, "on"),
        (ListeningSocket, "on"),
        (Neighbour, "on"),
        (Packet, "interface"),
        (Packet, "node"),
        (Policy, "chain"),
        (Policy, "family"),
        (Policy, "on"),
        (Policy, "table"),
        (RouteLine, "on"),
        (RuleCounter, "chain"),
        (RuleCounter, "family"),
        (RuleCounter, "on"),
        (RuleCounter, "rule"),
        (RuleCounter, "table"),
        (Stdout, "background"),
        (Sysctl, "key"),
        (Sysctl, "on"),
    }
)
"""Fields that say where to look, not what is to be seen there (and how a pattern was written)."""
