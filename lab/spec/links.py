"""A link of a topology as it is written: its two ends, their addresses and their MACs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Final, TypeVar

from lab.model.address import IPInterface
from lab.model.topology import Interface, Kind, Link
from lab.spec.addresses import LOOPBACK, parse_ip
from lab.spec.document_topology import LinkDocument
from lab.spec.findings import Findings, Path
from lab.spec.misfit import Misfit, did_you_mean, kind_of

# IFNAMSIZ of linux/if.h, without the terminating NUL.
LONGEST_INTERFACE_NAME: Final = 15

_MAC: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class End:
    """One end of a link; ``written`` is how `endpoints` names it."""

    written: str
    node: str
    interface: str
    kind: Kind


def read_link(
    document: LinkDocument,
    kinds: Mapping[str, Kind],
    taken: dict[str, set[str]],
    findings: Findings,
    path: Path,
) -> Link | None:
    """Turn a written link into a link.

    Args:
        document: the link as written.
        kinds: the kind of every node.
        taken: the interface names that each node already has; the link's are added.
        findings: where its mistakes are noted.
        path: the link's path.

    Returns:
        The link, or None where an end is wrong.
    """
    ends = [
        _read_end(text, kinds, taken, findings, (*path, "endpoints", index))
        for index, text in enumerate(document.endpoints)
    ]
    a, b = ends
    if a is None or b is None:
        return None
    if a.node == b.node:
        findings.at((*path, "endpoints"), f"node '{a.node}' is linked to itself")
        return None
    ipv4 = _per_end(document.ipv4, (a, b), _ipv4, findings, (*path, "ipv4"))
    ipv6 = _per_end(document.ipv6, (a, b), _ipv6, findings, (*path, "ipv6"))
    macs = _per_end(document.mac, (a, b), parse_mac, findings, (*path, "mac"))
    for index, found in enumerate(macs):
        if len(found) > 1:
            findings.at((*path, "mac"), f"'{(a, b)[index].written}' has more than one MAC")
    if document.mtu is not None and document.mtu < 1280 and any(ipv6):
        findings.at((*path, "mtu"), "IPv6 needs an MTU of 1280 at least")
    interface_a, interface_b = (
        Interface(
            end.node,
            end.interface,
            addresses=(*ipv4[index], *ipv6[index]),
            mac=next(iter(macs[index]), None),
        )
        for index, end in enumerate((a, b))
    )
    return Link(interface_a, interface_b, document.mtu)


def _read_end(
    text: str,
    kinds: Mapping[str, Kind],
    taken: dict[str, set[str]],
    findings: Findings,
    path: Path,
) -> End | None:
    node, colon, interface = text.partition(":")
    if node not in kinds:
        findings.at(path, f"unknown node '{node}'", did_you_mean(node, kinds, "nodes"))
        return None
    names = taken.setdefault(node, set())
    if not colon:
        prefix, number = ("p", 1) if kinds[node] is Kind.SWITCH else ("eth", 0)
        while f"{prefix}{number}" in names:
            number += 1
        interface = f"{prefix}{number}"
    elif findings.attempt(path, check_interface_name, interface) is None:
        return None
    if interface in names:
        findings.at(path, f"node '{node}' already has an interface '{interface}'")
        return None
    names.add(interface)
    return End(text, node, interface, kinds[node])


def check_interface_name(name: str) -> str:
    """An interface's name as the kernel allows it (dev_valid_name in net/core/dev.c)."""
    if not name:
        raise Misfit("the interface's name is missing behind ':'")
    size = len(name.encode(errors="replace"))
    if size > LONGEST_INTERFACE_NAME:
        raise Misfit(
            f"interface name '{name}' is too long: {size} bytes",
            f"the kernel allows {LONGEST_INTERFACE_NAME}",
        )
    if name in (".", "..") or any(sign in "/:" or sign.isspace() for sign in name):
        raise Misfit(f"'{name}' cannot be an interface's name")
    if name == LOOPBACK:
        raise Misfit("every node has its own 'lo' already")
    return name


def _per_end(
    value: object,
    ends: tuple[End, End],
    parse: Callable[[str], T],
    findings: Findings,
    path: Path,
) -> tuple[list[T], list[T]]:
    """What `ipv4`, `ipv6` or `mac` gives to each end, whichever way it is written."""
    found: tuple[list[T], list[T]] = ([], [])
    for index, text, where in _texts_per_end(value, ends, findings, path):
        if ends[index].kind is Kind.SWITCH and path[-1] != "mac":
            findings.at(where, f"'{ends[index].written}' is a switch's port and has no address")
            continue
        parsed = findings.attempt(where, parse, text)
        if parsed is not None:
            found[index].append(parsed)
    return found


def _texts_per_end(
    value: object, ends: tuple[End, End], findings: Findings, path: Path
) -> list[tuple[int, str, Path]]:
    """Each written text with the end that it is for (0 or 1) and its path."""
    if value is None:
        return []
    if value == "dhcp":
        findings.at(path, "'dhcp' is not yet supported")
        return []
    if isinstance(value, dict):
        texts: list[tuple[int, str, Path]] = []
        for name, item in value.items():
            index = _end_called(name, ends, findings, (*path, name))
            if index is not None:
                texts += _texts(index, item, findings, (*path, name))
        return texts
    alone = [index for index, end in enumerate(ends) if end.kind is not Kind.SWITCH]
    if len(alone) == 1:
        return _texts(alone[0], value, findings, path)
    if isinstance(value, list) and len(value) == 2:
        return [
            text
            for index, item in enumerate(value)
            for text in _texts(index, item, findings, (*path, index))
        ]
    findings.at(
        path,
        f"which end is meant? '{ends[0].written}' or '{ends[1].written}'",
        f"write {{{ends[0].written!r}: …, {ends[1].written!r}: …}}".replace("'", '"'),
    )
    return []


def _texts(
    index: int, value: object, findings: Findings, path: Path
) -> list[tuple[int, str, Path]]:
    if isinstance(value, str):
        return [(index, value, path)]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [(index, item, (*path, number)) for number, item in enumerate(value)]
    findings.at(path, f"expected an address or a list of addresses, got {kind_of(value)}")
    return []


def _end_called(name: str, ends: tuple[End, End], findings: Findings, path: Path) -> int | None:
    for index, end in enumerate(ends):
        if name in (end.written, end.node, f"{end.node}:{end.interface}"):
            return index
    names = [end.written for end in ends]
    findings.at_key(path, f"'{name}' is no end of this link", did_you_mean(name, names, "ends"))
    return None


def _ipv4(text: str) -> IPInterface:
    return _address(text, 4)


def _ipv6(text: str) -> IPInterface:
    return _address(text, 6)


def _address(text: str, version: int) -> IPInterface:
    """Read ``ADDRESS/PREFIX`` for an interface."""
    if text == "dhcp":
        raise Misfit("'dhcp' is not yet supported")
    literal, slash, length = text.partition("/")
    ip = parse_ip(literal)
    if ip.version != version:
        raise Misfit(f"{ip} is IPv{ip.version}", f"it belongs under ipv{ip.version}")
    if not slash:
        usual = 24 if version == 4 else 64
        raise Misfit(f"'{text}' has no prefix length", f"did you mean {text}/{usual}?")
    if not (length.isascii() and length.isdigit() and int(length[:4]) <= ip.max_prefixlen):
        raise Misfit(f"'/{length}' is no prefix length", f"0 to {ip.max_prefixlen}")
    if ip.is_multicast:
        raise Misfit(f"{ip} is a multicast address: no interface can have it")
    if ip.is_unspecified or str(ip) == "255.255.255.255":
        raise Misfit(f"{ip} is nobody's address")
    address: IPInterface = ip_interface(f"{ip}/{length}")
    return address


def parse_mac(text: str) -> str:
    """Read the Ethernet address of one interface, in lower case."""
    if not _MAC.fullmatch(text):
        raise Misfit(f"'{text}' is no Ethernet address", "it looks like 02:00:00:00:00:01")
    if int(text[:2], 16) & 1:
        raise Misfit(f"{text} is a group's address: no interface can have it")
    if text == "00:00:00:00:00:00":
        raise Misfit(f"{text} is nobody's address")
    return text.lower()
