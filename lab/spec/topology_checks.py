"""What must hold in a topology as a whole: segments, addresses on them, loops, routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lab.model.topology import Interface, Kind, Link, Node, Route
from lab.spec.findings import Findings, Path
from lab.spec.misfit import did_you_mean

# BR_MAX_PORTS of net/bridge/br_private.h; port numbers begin with 1.
MOST_PORTS: Final = 1023

NumberedLink = tuple[int, Link]


def check_links(
    links: Sequence[NumberedLink], kinds: Mapping[str, Kind], findings: Findings, path: Path
) -> None:
    """Note loops of switches, switches with too many ports, and addresses that clash.

    Args:
        links: the links, each with its index in the file.
        kinds: the kind of every node.
        findings: where mistakes are noted.
        path: the path of the list of links.
    """
    segments = _Segments(kinds)
    ports: dict[str, int] = {}
    for index, link in links:
        switches = [end.node for end in link.ends if kinds[end.node] is Kind.SWITCH]
        for switch in switches:
            ports[switch] = ports.get(switch, 0) + 1
            if ports[switch] == MOST_PORTS + 1:
                findings.at((*path, index), f"switch '{switch}' has more than {MOST_PORTS} ports")
        if len(switches) == 2 and not segments.join(*switches):
            findings.at(
                (*path, index),
                f"the link of '{switches[0]}' and '{switches[1]}' closes a loop of switches",
                "frames would circle in it for ever",
            )
    _check_duplicates(links, segments, findings, path)


class _Segments:
    """Which switches pass frames to each other: a forest of them (union-find)."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        self.parent: dict[str, str] = {}

    def root(self, switch: str) -> str:
        while switch in self.parent:
            switch = self.parent[switch]
        return switch

    def join(self, a: str, b: str) -> bool:
        """Connect two switches; False when they are connected already."""
        one, other = self.root(a), self.root(b)
        if one == other:
            return False
        self.parent[one] = other
        return True

    def of(self, index: int, link: Link) -> str | int:
        """The segment of a link; one without a switch is a segment of its own."""
        for end in link.ends:
            if self.kinds[end.node] is Kind.SWITCH:
                return self.root(end.node)
        return index


def _check_duplicates(
    links: Sequence[NumberedLink], segments: _Segments, findings: Findings, path: Path
) -> None:
    owners: dict[tuple[str | int, str], Interface] = {}
    for index, link in links:
        segment = segments.of(index, link)
        for end in link.ends:
            addresses = [(f"ipv{item.version}", str(item.ip)) for item in end.addresses]
            if end.mac is not None:
                addresses.append(("mac", end.mac))
            for key, address in addresses:
                owner = owners.setdefault((segment, address), end)
                if owner is not end:
                    findings.at(
                        (*path, index, key),
                        f"{address} is here twice on one network",
                        f"{owner.node}:{owner.name} has it already",
                    )
                elif [text for _, text in addresses].count(address) > 1:
                    findings.at((*path, index, key), f"{address} is here twice")
                    break


def check_routes(
    node: Node, interfaces: Sequence[Interface], findings: Findings, path: Path
) -> None:
    """Note routes that the kernel would refuse: no such device, a gateway out of reach, doubles.

    Args:
        node: the node with its routes.
        interfaces: the node's interfaces.
        findings: where mistakes are noted.
        path: the path of the list of routes.
    """
    earlier: list[Route] = []
    for index, route in enumerate(node.routes):
        here = (*path, index)
        names = [interface.name for interface in interfaces]
        if route.dev is not None and route.dev not in names:
            findings.at(
                here,
                f"node '{node.name}' has no interface '{route.dev}'",
                did_you_mean(route.dev, names, "interfaces"),
            )
        elif route.via is not None and not _reachable(route, interfaces, earlier):
            networks = [str(a.network) for i in interfaces for a in i.addresses]
            findings.at(
                here,
                f"gateway {route.via} is in no network of '{node.name}'",
                f"its networks: {', '.join(networks)}" if networks else "it has no address",
            )
        if any(route.destination == other.destination for other in earlier):
            findings.at(here, f"a second route to {_named(route)}")
        earlier.append(route)


def _reachable(route: Route, interfaces: Sequence[Interface], earlier: Sequence[Route]) -> bool:
    """Whether a gateway is on a link of the node, by an address's prefix or an earlier route."""
    if route.via is None:
        return True
    if route.via.is_link_local and route.via.version == 6:
        return route.dev is not None
    connected = [
        (interface.name, address.network)
        for interface in interfaces
        for address in interface.addresses
    ]
    connected += [
        (other.dev, other.destination)
        for other in earlier
        if other.dev is not None and other.via is None
    ]
    return any(route.via in network and route.dev in (None, name) for name, network in connected)


def _named(route: Route) -> str:
    return "default" if route.destination.prefixlen == 0 else str(route.destination)
