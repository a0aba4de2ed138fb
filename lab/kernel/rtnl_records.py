"""Links, addresses, routes and neighbours as the kernel holds them.

Routes and neighbours print themselves as ``ip route`` and ``ip neigh`` do, one line each.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.model.address import IPAddress, IPInterface
from lab.model.topology import IPNetwork


@dataclass(frozen=True, slots=True)
class Link:
    """An interface: ``state`` is its operational state (RFC 2863) such as UP or LOWERLAYERDOWN."""

    index: int
    name: str
    up: bool
    state: str
    mtu: int
    mac: str | None


@dataclass(frozen=True, slots=True)
class Address:
    """An address of an interface; ``scope`` is global, link, host or a number."""

    dev: str
    address: IPInterface
    scope: str


@dataclass(frozen=True, slots=True)
class NextHop:
    """Where a route leads; ``flags`` are words such as onlink or linkdown."""

    via: IPAddress | None
    dev: str | None
    weight: int = 1
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A route of the main table.

    ``hops`` has more than one next hop for a multipath route, and none for a blackhole. ``proto``
    and ``scope`` are names or numbers as ip-route(8) prints them; ``options`` are further words
    of its line, such as ``mtu 1400``. Encapsulations, realms and what is left of a lifetime are
    left out.
    """

    kind: str
    destination: IPNetwork
    hops: tuple[NextHop, ...]
    proto: str
    scope: str
    source: IPAddress | None
    metric: int | None
    tos: int = 0
    options: tuple[str, ...] = ()
    pref: str | None = None

    def __str__(self) -> str:
        words = [] if self.kind == "unicast" else [self.kind]
        words.append(_destination(self.destination))
        words += ["tos", f"{self.tos:#04x}"] if self.tos else []
        single = self.hops[0] if len(self.hops) == 1 else None
        words += _leads(single, self.destination.version) if single else []
        words += ["proto", self.proto] if self.proto != "boot" else []
        words += ["scope", self.scope] if self.scope != "global" else []
        words += ["src", str(self.source)] if self.source else []
        words += ["metric", str(self.metric)] if self.metric is not None else []
        words += single.flags if single else ()
        words += self.options
        words += ["pref", self.pref] if self.pref else []
        for hop in self.hops if single is None else ():
            leads = _leads(hop, self.destination.version)
            words += ["nexthop", *leads, "weight", str(hop.weight), *hop.flags]
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class NeighbourEntry:
    """An entry of the ARP or neighbour discovery cache; ``state`` is REACHABLE, STALE, FAILED…"""

    address: IPAddress
    dev: str
    lladdr: str | None
    state: str
    router: bool = False

    def __str__(self) -> str:
        words = [str(self.address), "dev", self.dev]
        words += ["lladdr", self.lladdr] if self.lladdr else []
        words += ["router"] if self.router else []
        return " ".join([*words, self.state])


def _destination(network: IPNetwork) -> str:
    """Write a prefix as ip(8) does: a host without its length, everything as default."""
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return str(network) if network.prefixlen else "default"


def _leads(hop: NextHop, version: int) -> list[str]:
    """``via GATEWAY dev INTERFACE``; an IPv4 route's IPv6 gateway is announced as such."""
    words = []
    if hop.via is not None:
        words += ["via"] if hop.via.version == version else ["via", f"inet{hop.via.version}"]
        words.append(str(hop.via))
    if hop.dev is not None:
        words += ["dev", hop.dev]
    return words
