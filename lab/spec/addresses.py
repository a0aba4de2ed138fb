"""Addresses as steps write them, literally or by a node's name, resolved from the topology."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from lab.model.address import AddressPattern, IPAddress, TuplePattern
from lab.model.scenario import Target
from lab.model.topology import Topology
from lab.spec.misfit import Misfit, did_you_mean
from lab.spec.quantities import parse_port

# The loopback interface is in every node and in no topology.
LOOPBACK: Final = "lo"

_IPV4_LIKE: Final = re.compile(r"[0-9]+(\.[0-9]*)+")
_BRACKETED: Final = re.compile(r"\[([^\[\]]*)\](?::(.*))?")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a step can name.

    ``nodes`` are the names of the topology's nodes, None where not even these are known.
    ``topology`` is None where it has mistakes of its own: then a name resolves to any address.
    ``scripts`` is the text of all that the scenario runs, which may add what the topology lacks.
    """

    nodes: frozenset[str] | None
    topology: Topology | None
    scripts: str = ""

    def mentions(self, word: str) -> bool:
        """Whether a script has this word, such as an address or an interface's name."""
        return re.search(rf"(?<![\w.:-]){re.escape(word)}(?![\w:-]|\.\w)", self.scripts) is not None


@dataclass(frozen=True, slots=True)
class _Written:
    """The parts of a written address: a literal or a node with an interface, and a port."""

    ip: IPAddress | None = None
    node: str | None = None
    interface: str | None = None
    port: int | None = None


def check_node(name: str, around: Surroundings) -> str:
    """A node's name, or Misfit when the topology has no such node."""
    if around.nodes is not None and name not in around.nodes:
        raise Misfit(f"unknown node '{name}'", did_you_mean(name, around.nodes, "nodes"))
    return name


def parse_interface(text: str, around: Surroundings) -> tuple[str, str]:
    """Read ``NODE:INTERFACE``."""
    node, colon, interface = text.partition(":")
    if not colon or not interface:
        raise Misfit(f"expected NODE:INTERFACE, got '{text}'", _interfaces_hint(node, around))
    check_node(node, around)
    if around.topology is not None and interface != LOOPBACK:
        known = [item.name for item in around.topology.interfaces(node)]
        if interface not in known and not around.mentions(interface):
            raise Misfit(
                f"node '{node}' has no interface '{interface}'",
                did_you_mean(interface, known, "interfaces"),
            )
    return node, interface


def parse_pattern(text: str, around: Surroundings) -> AddressPattern:
    """Read an address of an expectation: ``IP``, ``IP:PORT``, ``:PORT``, ``NODE[:IFACE][:PORT]``.

    A node stands for its first address, IPv4 preferred.
    """
    written = _parse(text.strip(), around)
    name = text.strip() if written.node is not None else ""
    return AddressPattern(_ip_of(written, around), written.port, name)


def parse_tuple(text: str, around: Surroundings) -> TuplePattern:
    """Read ``SOURCE > DEST``."""
    source, arrow, dest = text.partition(">")
    if not arrow or not source.strip() or not dest.strip() or ">" in dest:
        raise Misfit(f"expected SOURCE > DEST, got '{text}'")
    return TuplePattern(parse_pattern(source, around), parse_pattern(dest, around))


def parse_target(text: str, around: Surroundings, *, with_port: bool) -> Target | None:
    """Read where a flow goes; a connection needs a port, a ping has none.

    Returns:
        The target, or None where the topology's own mistakes hide the address.
    """
    pattern = parse_pattern(text, around)
    if with_port and pattern.port is None:
        raise Misfit(f"'{text}' has no port", f"write it behind a colon: {_with_port(pattern)}")
    if not with_port and pattern.port is not None:
        raise Misfit(f"'{text}' has a port", "ICMP has no ports: leave it out")
    if pattern.ip is None:
        if _parse(text.strip(), around).node is None:
            raise Misfit(f"'{text}' has no address")
        return None
    if pattern.ip.is_unspecified:
        raise Misfit(f"nothing can be sent to {pattern.ip}")
    return Target(pattern.ip, pattern.port, text.strip())


def _parse(text: str, around: Surroundings) -> _Written:
    if text.startswith("["):
        found = _BRACKETED.fullmatch(text)
        if found is None:
            raise Misfit(f"'{text}' is no address", "IPv6 with a port is written [fd00::1]:80")
        port = None if found[2] is None else parse_port(found[2])
        return _Written(ip=parse_ip(found[1]), port=port)
    if text.startswith(":") and text.count(":") == 1:
        return _Written(port=parse_port(text[1:]))
    if "::" in text or text.count(":") > 3 or _is_ipv6(text):
        return _Written(ip=parse_ip(text))
    host, colon, rest = text.partition(":")
    if _IPV4_LIKE.fullmatch(host):
        return _Written(ip=parse_ip(host), port=parse_port(rest) if colon else None)
    return _parse_node(text, around)


def _parse_node(text: str, around: Surroundings) -> _Written:
    parts = text.split(":")
    node = check_node(parts[0], around)
    match parts[1:]:
        case []:
            return _Written(node=node)
        case [port] if port.isdigit():
            return _Written(node=node, port=parse_port(port))
        case [interface]:
            return _Written(node=node, interface=parse_interface(f"{node}:{interface}", around)[1])
        case [interface, port]:
            parse_interface(f"{node}:{interface}", around)
            return _Written(node=node, interface=interface, port=parse_port(port))
    raise Misfit(f"'{text}' is no address", "expected NODE, NODE:INTERFACE or these with :PORT")


def parse_ip(text: str) -> IPAddress:
    """Read an IPv4 or IPv6 address."""
    try:
        if ":" in text:
            if "%" in text:
                raise Misfit(f"'{text}' has a zone", "leave out what begins with %")
            return IPv6Address(text)
        return IPv4Address(text)
    except AddressValueError as error:
        # The message repeats the text that is told already.
        why = str(error).replace(f" in {text!r}", "").replace(f": {text!r}", "")
        raise Misfit(f"'{text}' is no address: {why[:1].lower()}{why[1:]}") from None


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return "%" not in text


def _ip_of(written: _Written, around: Surroundings) -> IPAddress | None:
    """The address that was written or that a node's name stands for."""
    if written.node is None or around.topology is None:
        return written.ip
    addresses = [
        address.ip
        for interface in around.topology.interfaces(written.node)
        if written.interface in (None, interface.name)
        for address in interface.addresses
    ]
    if not addresses:
        name = written.node + (f":{written.interface}" if written.interface else "")
        raise Misfit(f"'{name}' has no address in the topology", "write the address itself")
    return min(addresses, key=lambda ip: ip.version)


def _with_port(pattern: AddressPattern) -> str:
    if pattern.ip is not None and pattern.ip.version == 6:
        return f"[{pattern.ip}]:80"
    return f"{pattern.text or pattern.ip}:80"


def _interfaces_hint(node: str, around: Surroundings) -> str:
    if around.topology is None or around.nodes is None or node not in around.nodes:
        return ""
    known = [f"{node}:{item.name}" for item in around.topology.interfaces(node)]
    return f"interfaces of {node}: {', '.join(known)}" if known else ""
