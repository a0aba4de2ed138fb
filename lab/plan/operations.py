"""What can be done to a node's network, one frozen type for each kernel operation."""

from __future__ import annotations

from dataclasses import dataclass

from lab.model.address import IPAddress, IPInterface
from lab.model.topology import IPNetwork


@dataclass(frozen=True, slots=True)
class AddBridge:
    """Make a bridge and set it up."""

    index: int
    name: str
    mac: str


@dataclass(frozen=True, slots=True)
class AddVeth:
    """Make a veth pair: this end up in the node, the other down in ``peer_node``."""

    index: int
    name: str
    mac: str
    peer_node: str
    peer_index: int
    peer_name: str
    peer_mac: str
    mtu: int | None = None


@dataclass(frozen=True, slots=True)
class SetUp:
    """Set a link up, as a port of the bridge ``master`` if one is given."""

    index: int
    name: str
    master: int | None = None


@dataclass(frozen=True, slots=True)
class SilenceIPv6:
    """Have a link make no IPv6 address of its own."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class AddAddress:
    """Give a link an address."""

    index: int
    name: str
    address: IPInterface


@dataclass(frozen=True, slots=True)
class AddRoute:
    """Add a route to the main table."""

    destination: IPNetwork
    via: IPAddress | None
    index: int | None
    name: str | None
    kind: str


Operation = AddBridge | AddVeth | SetUp | SilenceIPv6 | AddAddress | AddRoute


@dataclass(frozen=True, slots=True)
class Batch:
    """Operations that one send carries to the kernel, all of them in one node."""

    node: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A sysctl to write in a node."""

    node: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All that makes a topology, in order: namespaces, settings, batches, settings of links.

    ``before`` are the settings that new links inherit, ``after`` those that may name a link.
    """

    nodes: tuple[str, ...]
    before: tuple[Setting, ...]
    batches: tuple[Batch, ...]
    after: tuple[Setting, ...]


def describe(operation: Operation) -> str:
    """Say an operation in words, for an error that names the node and the interface."""
    match operation:
        case AddBridge(name=name):
            return f"add bridge {name}"
        case AddVeth(name=name, peer_node=peer, peer_name=peer_name):
            return f"add interface {name} with a cable to {peer}:{peer_name}"
        case SetUp(name=name, master=None):
            return f"set {name} up"
        case SetUp(name=name):
            return f"plug {name} into the bridge"
        case SilenceIPv6(name=name):
            return f"switch IPv6 address generation off on {name}"
        case AddAddress(name=name, address=address):
            return f"add {address} to {name}"
        case AddRoute():
            return f"add route {route_text(operation)}"


def route_text(route: AddRoute) -> str:
    """Write a route the way ``ip route`` does."""
    return " ".join(route_words(route))


def route_words(route: AddRoute) -> list[str]:
    """The words that follow ``ip route add``."""
    default = route.destination.prefixlen == 0
    words = [] if route.kind == "unicast" else [route.kind]
    words.append("default" if default else str(route.destination))
    if route.via is not None:
        words += ["via", str(route.via)]
    if route.name is not None:
        words += ["dev", route.name]
    return words
