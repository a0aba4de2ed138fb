"""The planner: from a topology to the ordered kernel operations that make it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.model.topology import Interface, Kind, Link, Node, Topology
from lab.plan.operations import (
    AddAddress,
    AddBridge,
    AddRoute,
    AddVeth,
    Batch,
    Operation,
    Plan,
    Setting,
    SetUp,
    SilenceIPv6,
)

LOOPBACK_INDEX = 1
BRIDGE_INDEX = 2
BRIDGE_NAME = "br0"
# The cost of a message that enslaves a port grows with what is in the same batch; 64 is the knee.
PORTS_PER_BATCH = 64

_BRIDGE_NF_KEYS = tuple(
    f"net.bridge.bridge-nf-call-{table}" for table in ("iptables", "ip6tables", "arptables")
)


@dataclass(frozen=True, slots=True)
class _Port:
    """An interface with the index and the MAC address that the plan gave it."""

    end: Interface
    index: int
    mac: str


@dataclass(slots=True)
class _Wiring:
    """Every interface's index and MAC, and for each node its cables in the topology's order."""

    ports: dict[int, tuple[_Port, _Port]] = field(default_factory=dict)
    cables: dict[str, list[int]] = field(default_factory=dict)


def plan(topology: Topology) -> Plan:
    """Plan a topology.

    The batches come in the order in which they must be sent: bridges; then each host and router
    whole, in the topology's order; then the switches' ports. A cable is made by whichever of its
    hosts comes first, so that the other end is there when its own node's turn comes.
    """
    wiring = _wire(topology)
    order = {node.name: place for place, node in enumerate(topology.nodes)}
    switches = [node for node in topology.nodes if node.kind is Kind.SWITCH]
    hosts = [node for node in topology.nodes if node.kind is not Kind.SWITCH]
    batches = [Batch(node.name, _bridge(order[node.name], node)) for node in switches]
    made: set[int] = set()
    batches += [Batch(node.name, tuple(_host(topology, node, wiring, made))) for node in hosts]
    for node in switches:
        batches += _switch_ports(topology, node, wiring, made)
    return Plan(
        nodes=tuple(order),
        before=tuple(_settings_before(topology)),
        batches=tuple(batches),
        after=tuple(_settings_after(topology)),
    )


def _wire(topology: Topology) -> _Wiring:
    """Number the interfaces of each node from 2 (a switch's from 3, behind its bridge)."""
    wiring = _Wiring(cables={node.name: [] for node in topology.nodes})
    following = {node.name: BRIDGE_INDEX + (node.kind is Kind.SWITCH) for node in topology.nodes}
    numbers = {node.name: number for number, node in enumerate(topology.nodes, 1)}
    for cable, link in enumerate(topology.links):
        ends = []
        for end in link.ends:
            index = following[end.node]
            following[end.node] = index + 1
            ends.append(_Port(end, index, end.mac or _mac(numbers[end.node], index)))
            wiring.cables[end.node].append(cable)
        wiring.ports[cable] = (ends[0], ends[1])
    return wiring


def _mac(node: int, index: int) -> str:
    """A locally administered address that tells node and interface, the same in every run."""
    return (0x02 << 40 | node << 16 | index).to_bytes(6, "big").hex(":")


def _settings_before(topology: Topology) -> Iterator[Setting]:
    with_ipv6 = {end.node for link in topology.links for end in link.ends if _uses_ipv6(end)}
    for node in topology.nodes:
        if node.name in with_ipv6:
            # duplicate detection would keep a link-local address unusable for a second or two
            yield Setting(node.name, "net.ipv6.conf.default.accept_dad", "0")
        if node.kind is Kind.ROUTER:
            yield Setting(node.name, "net.ipv4.ip_forward", "1")
            if node.name in with_ipv6:
                yield Setting(node.name, "net.ipv6.conf.all.forwarding", "1")
                # an interface that forwards IPv6 joins the group of all routers, audibly
                yield Setting(node.name, "net.ipv6.conf.default.forwarding", "0")
        if node.kind is Kind.SWITCH:
            for key in _BRIDGE_NF_KEYS:
                yield Setting(node.name, key, "1" if node.bridge_nf else "0")


def _settings_after(topology: Topology) -> Iterator[Setting]:
    routers = {node.name for node in topology.nodes if node.kind is Kind.ROUTER}
    for end in (end for link in topology.links for end in link.ends):
        if end.node in routers and _uses_ipv6(end):
            # sysctl(8) writes a dot inside a name as a slash
            name = end.name.replace(".", "/")
            yield Setting(end.node, f"net.ipv6.conf.{name}.forwarding", "1")
    for node in topology.nodes:
        for key, value in node.sysctls:
            yield Setting(node.name, key, value)


def _uses_ipv6(end: Interface) -> bool:
    return any(address.version == 6 for address in end.addresses)


def _bridge(number: int, node: Node) -> tuple[Operation, ...]:
    bridge = AddBridge(BRIDGE_INDEX, BRIDGE_NAME, _mac(number + 1, BRIDGE_INDEX))
    return (
        SetUp(LOOPBACK_INDEX, "lo"),
        bridge,
        SilenceIPv6(BRIDGE_INDEX, BRIDGE_NAME),
    )


def _host(topology: Topology, node: Node, wiring: _Wiring, made: set[int]) -> Iterator[Operation]:
    yield SetUp(LOOPBACK_INDEX, "lo")
    indexes = {"lo": LOOPBACK_INDEX}
    for cable in wiring.cables[node.name]:
        near, far = _ends(wiring, cable, node.name)
        indexes[near.end.name] = near.index
        if cable in made:
            yield from _silence(near)
            yield SetUp(near.index, near.end.name)
        else:
            made.add(cable)
            yield _cable(topology.links[cable], near, far)
            yield from _silence(near)
        for address in near.end.addresses:
            yield AddAddress(near.index, near.end.name, address)
    for route in node.routes:
        index = None if route.dev is None else indexes[route.dev]
        yield AddRoute(route.destination, route.via, index, route.dev, route.kind)


def _ends(wiring: _Wiring, cable: int, node: str) -> tuple[_Port, _Port]:
    a, b = wiring.ports[cable]
    return (a, b) if a.end.node == node else (b, a)


def _cable(link: Link, near: _Port, far: _Port) -> AddVeth:
    return AddVeth(
        near.index,
        near.end.name,
        near.mac,
        far.end.node,
        far.index,
        far.end.name,
        far.mac,
        link.mtu,
    )


def _silence(port: _Port) -> Iterator[Operation]:
    """Keep IPv6 quiet on an interface that does not use it."""
    if not _uses_ipv6(port.end):
        yield SilenceIPv6(port.index, port.end.name)


def _switch_ports(
    topology: Topology, node: Node, wiring: _Wiring, made: set[int]
) -> Iterator[Batch]:
    """Plug a switch's ports into its bridge, making those cables that join two switches."""
    cables = wiring.cables[node.name]
    for start in range(0, len(cables), PORTS_PER_BATCH):
        operations: list[Operation] = []
        for cable in cables[start : start + PORTS_PER_BATCH]:
            near, far = _ends(wiring, cable, node.name)
            if cable not in made:
                made.add(cable)
                operations.append(_cable(topology.links[cable], near, far))
            operations.append(SilenceIPv6(near.index, near.end.name))
            operations.append(SetUp(near.index, near.end.name, BRIDGE_INDEX))
        yield Batch(node.name, tuple(operations))
