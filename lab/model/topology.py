"""What to build: nodes with their interfaces, and the links between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

from lab.model.address import IPAddress, IPInterface
from lab.model.errors import Location

IPNetwork = IPv4Network | IPv6Network


class Kind(StrEnum):
    """What a node is; a router starts with ip_forward=1, a switch is a Linux bridge."""

    HOST = "host"
    ROUTER = "router"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a node: ``DESTINATION [via GATEWAY] [dev INTERFACE]`` or a type that drops.

    ``kind`` is one of unicast, blackhole, unreachable, prohibit (ip-route(8)).
    """

    destination: IPNetwork
    via: IPAddress | None = None
    dev: str | None = None
    kind: str = "unicast"


@dataclass(frozen=True, slots=True)
class Command:
    """A command line of a topology's ``exec`` or a scenario's ``run``, and where it stands."""

    text: str
    location: Location


@dataclass(frozen=True, slots=True)
class Node:
    """A host, router or switch: a set of namespaces."""

    name: str
    kind: Kind = Kind.HOST
    sysctls: tuple[tuple[str, str], ...] = ()
    routes: tuple[Route, ...] = ()
    exec: tuple[Command, ...] = ()
    bridge_nf: bool = False


@dataclass(frozen=True, slots=True)
class Interface:
    """One end of a link. A switch's end is a bridge port and carries no address."""

    node: str
    name: str
    addresses: tuple[IPInterface, ...] = ()
    mac: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A cable between two interfaces; ``mtu`` in bytes, None for the kernel's default."""

    a: Interface
    b: Interface
    mtu: int | None = None

    @property
    def ends(self) -> tuple[Interface, Interface]:
        """Both interfaces, in the order in which they were written."""
        return (self.a, self.b)


@dataclass(frozen=True, slots=True)
class Topology:
    """Nodes and links, ready to be planned: every name exists, every interface is named once.

    ``notes`` are facts that a run must tell, such as "ppp0: emulated by veth".
    """

    name: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...] = ()
    notes: tuple[str, ...] = ()
    _by_name: dict[str, Node] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {node.name: node for node in self.nodes})

    def node(self, name: str) -> Node:
        """The node of that name; KeyError if there is none."""
        return self._by_name[name]

    def interfaces(self, node: str) -> tuple[Interface, ...]:
        """The interfaces of a node, in the order of the links."""
        return tuple(end for link in self.links for end in link.ends if end.node == node)

    def addresses(self, node: str) -> tuple[IPAddress, ...]:
        """The addresses of a node, the first one being the one that its name stands for."""
        return tuple(
            address.ip for interface in self.interfaces(node) for address in interface.addresses
        )
