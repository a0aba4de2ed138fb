"""The planner: what is done to make a topology, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface, ip_network
from itertools import chain

from hypothesis import given

from lab.model.topology import Kind, Topology
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
from lab.plan.planner import plan
from tests.plan.topologies import link, node, random_topologies, route, topology

LO = SetUp(1, "lo")


def batches_of(planned: Plan, name: str) -> list[tuple[Operation, ...]]:
    return [batch.operations for batch in planned.batches if batch.node == name]


def cable(near: str, far: str) -> AddVeth:
    """The operation; both ends are written as index, name and MAC, the far one behind its node."""
    index, name, mac = near.split()
    node, peer_index, peer_name, peer_mac = far.split()
    return AddVeth(int(index), name, mac, node, int(peer_index), peer_name, peer_mac)


def flat(planned: Plan) -> Iterator[tuple[str, Operation]]:
    """Every operation with its node, in order."""
    for batch in planned.batches:
        for operation in batch.operations:
            yield batch.node, operation


def test_a_host_a_router_and_a_switch_between_them() -> None:
    planned = plan(
        topology(
            node("host", "host", route("0.0.0.0/0", via="10.0.0.254")),
            node("lan", "switch"),
            node("router", "router"),
            link("host:eth0 10.0.0.1/24", "lan:p1"),
            link("lan:p2", "router:lan0 10.0.0.254/24"),
        )
    )
    assert planned == Plan(
        nodes=("host", "lan", "router"),
        before=(
            Setting("lan", "net.bridge.bridge-nf-call-iptables", "0"),
            Setting("lan", "net.bridge.bridge-nf-call-ip6tables", "0"),
            Setting("lan", "net.bridge.bridge-nf-call-arptables", "0"),
            Setting("router", "net.ipv4.ip_forward", "1"),
        ),
        batches=(
            Batch("lan", (LO, AddBridge(2, "br0", "02:00:00:02:00:02"), SilenceIPv6(2, "br0"))),
            Batch(
                "host",
                (
                    LO,
                    cable("2 eth0 02:00:00:01:00:02", "lan 3 p1 02:00:00:02:00:03"),
                    SilenceIPv6(2, "eth0"),
                    AddAddress(2, "eth0", ip_interface("10.0.0.1/24")),
                    AddRoute(
                        ip_network("0.0.0.0/0"), ip_address("10.0.0.254"), None, None, "unicast"
                    ),
                ),
            ),
            Batch(
                "router",
                (
                    LO,
                    cable("2 lan0 02:00:00:03:00:02", "lan 4 p2 02:00:00:02:00:04"),
                    SilenceIPv6(2, "lan0"),
                    AddAddress(2, "lan0", ip_interface("10.0.0.254/24")),
                ),
            ),
            Batch(
                "lan",
                (
                    SilenceIPv6(3, "p1"),
                    SetUp(3, "p1", master=2),
                    SilenceIPv6(4, "p2"),
                    SetUp(4, "p2", master=2),
                ),
            ),
        ),
        after=(),
    )


def test_of_two_hosts_the_first_makes_their_cable() -> None:
    planned = plan(topology(node("b"), node("a"), link("a:eth0 10.0.0.1/24", "b:eth0 10.0.0.2/24")))
    made = cable("2 eth0 02:00:00:01:00:02", "a 2 eth0 02:00:00:02:00:02")
    assert batches_of(planned, "b") == [
        (LO, made, SilenceIPv6(2, "eth0"), AddAddress(2, "eth0", ip_interface("10.0.0.2/24")))
    ]
    assert batches_of(planned, "a") == [
        (
            LO,
            SilenceIPv6(2, "eth0"),
            SetUp(2, "eth0"),
            AddAddress(2, "eth0", ip_interface("10.0.0.1/24")),
        )
    ]


def test_of_two_switches_the_first_makes_their_cable() -> None:
    planned = plan(topology(node("s1", "switch"), node("s2", "switch"), link("s1:p1", "s2:p1")))
    made = cable("3 p1 02:00:00:01:00:03", "s2 3 p1 02:00:00:02:00:03")
    ports = (SilenceIPv6(3, "p1"), SetUp(3, "p1", master=2))
    assert batches_of(planned, "s1")[1:] == [(made, *ports)]
    assert batches_of(planned, "s2")[1:] == [ports]


def test_a_switchs_ports_are_plugged_in_64_at_a_time() -> None:
    star = [node("lan", "switch")]
    links = []
    for number in range(130):
        star.append(node(f"h{number}"))
        links.append(link(f"h{number}:eth0", f"lan:p{number}"))
    ports = batches_of(plan(topology(*star, *links)), "lan")[1:]
    plugged = [[step.name for step in batch if isinstance(step, SetUp)] for batch in ports]
    assert [len(names) for names in plugged] == [64, 64, 2]
    assert [*chain(*plugged)] == [f"p{number}" for number in range(130)]


def test_a_star_is_bridge_then_hosts_then_ports() -> None:
    hosts = [node(f"h{number}") for number in range(3)]
    links = [link(f"h{number}:eth0", f"lan:p{number}") for number in range(3)]
    planned = plan(topology(*hosts, node("lan", "switch"), *links))
    assert [batch.node for batch in planned.batches] == ["lan", "h0", "h1", "h2", "lan"]


def test_an_interface_with_ipv6_makes_addresses_of_its_own() -> None:
    planned = plan(topology(node("a"), node("b"), link("a:eth0 fd00::1/64", "b:eth0 10.0.0.1/24")))
    silenced = [(where, step) for where, step in flat(planned) if isinstance(step, SilenceIPv6)]
    assert silenced == [("b", SilenceIPv6(2, "eth0"))]
    assert planned.before == (Setting("a", "net.ipv6.conf.default.accept_dad", "0"),)


def test_a_router_forwards_ipv6_at_the_interfaces_that_use_it() -> None:
    planned = plan(
        topology(
            node("r", "router"),
            node("a"),
            link("r:lan.7 fd00::1/64", "a:eth0"),
            link("r:wan0 10.0.0.1/24", "a:eth1"),
        )
    )
    assert planned.before == (
        Setting("r", "net.ipv6.conf.default.accept_dad", "0"),
        Setting("r", "net.ipv4.ip_forward", "1"),
        Setting("r", "net.ipv6.conf.all.forwarding", "1"),
        Setting("r", "net.ipv6.conf.default.forwarding", "0"),
    )
    assert planned.after == (Setting("r", "net.ipv6.conf.lan/7.forwarding", "1"),)


def test_a_nodes_own_settings_come_last() -> None:
    settings = (("net.ipv4.ip_forward", "0"), ("net.ipv4.conf.eth0.rp_filter", "2"))
    planned = plan(topology(node("r", "router", sysctls=settings)))
    assert planned.before == (Setting("r", "net.ipv4.ip_forward", "1"),)
    assert planned.after == tuple(Setting("r", key, value) for key, value in settings)


def test_a_switch_that_asks_passes_frames_through_iptables() -> None:
    values = {
        setting.value for setting in plan(topology(node("lan", "switch", bridge_nf=True))).before
    }
    assert values == {"1"}


def test_routes_come_behind_the_addresses_that_they_need() -> None:
    planned = plan(
        topology(
            node(
                "a",
                "host",
                route("0.0.0.0/0", via="10.0.0.2"),
                route("10.1.0.0/16", dev="eth1"),
                route("10.2.0.0/16", via="10.0.0.2", dev="eth0"),
                route("10.3.0.0/16", dev="lo"),
                route("blackhole 10.4.0.0/16"),
                route("unreachable fd09::/16"),
            ),
            node("b"),
            link("a:eth0 10.0.0.1/24", "b:eth0"),
            link("a:eth1", "b:eth1"),
        )
    )
    (operations,) = batches_of(planned, "a")
    gateway = ip_address("10.0.0.2")
    assert operations[-6:] == (
        AddRoute(ip_network("0.0.0.0/0"), gateway, None, None, "unicast"),
        AddRoute(ip_network("10.1.0.0/16"), None, 3, "eth1", "unicast"),
        AddRoute(ip_network("10.2.0.0/16"), gateway, 2, "eth0", "unicast"),
        AddRoute(ip_network("10.3.0.0/16"), None, 1, "lo", "unicast"),
        AddRoute(ip_network("10.4.0.0/16"), None, None, None, "blackhole"),
        AddRoute(ip_network("fd09::/16"), None, None, None, "unreachable"),
    )


def test_a_mac_address_and_an_mtu_that_were_asked_for_are_kept() -> None:
    planned = plan(
        topology(node("a"), node("b"), link("a:eth0 mac=02:aa:00:00:00:01", "b:eth0", mtu=1400))
    )
    (made,) = (step for _, step in flat(planned) if isinstance(step, AddVeth))
    assert made.mac == "02:aa:00:00:00:01"
    assert made.peer_mac == "02:00:00:02:00:02"
    assert made.mtu == 1400


def test_a_topology_is_planned_the_same_way_every_time() -> None:
    def parts() -> Topology:
        return topology(node("a"), node("b"), link("a:eth0", "b:eth0"))

    assert plan(parts()) == plan(parts())


def made_by(node: str, step: Operation) -> Iterator[tuple[str, int]]:
    """The interfaces that an operation brings into being."""
    if isinstance(step, AddBridge | AddVeth):
        yield node, step.index
    if isinstance(step, AddVeth):
        yield step.peer_node, step.peer_index


@given(random_topologies())
def test_every_cable_is_made_once(drawn: Topology) -> None:
    made = Counter(
        frozenset({(where, step.name), (step.peer_node, step.peer_name)})
        for where, step in flat(plan(drawn))
        if isinstance(step, AddVeth)
    )
    wanted = Counter(frozenset((end.node, end.name) for end in each.ends) for each in drawn.links)
    assert made == wanted


@given(random_topologies())
def test_every_interface_is_configured_once_after_it_was_made(drawn: Topology) -> None:
    there = {(name, 1) for name in (node.name for node in drawn.nodes)}
    touched: Counter[tuple[str, int, type[Operation]]] = Counter()
    for where, step in flat(plan(drawn)):
        fresh = set(made_by(where, step))
        assert not fresh & there
        there |= fresh
        if isinstance(step, SetUp | SilenceIPv6):
            assert (where, step.index) in there
            touched[where, step.index, type(step)] += 1
        elif isinstance(step, AddAddress):
            assert (where, step.index) in there
    assert set(touched.values()) <= {1}


@given(random_topologies())
def test_every_interface_ends_up_and_a_switchs_in_its_bridge(drawn: Topology) -> None:
    masters: dict[tuple[str, str], int | None] = {}
    for where, step in flat(plan(drawn)):
        if isinstance(step, AddVeth):
            masters[where, step.name] = None
        elif isinstance(step, SetUp) and step.name != "lo":
            masters[where, step.name] = step.master
    assert masters == {
        (end.node, end.name): 2 if drawn.node(end.node).kind is Kind.SWITCH else None
        for each in drawn.links
        for end in each.ends
    }


@given(random_topologies())
def test_every_address_is_given_once(drawn: Topology) -> None:
    given_to = Counter(
        (where, step.name, step.address)
        for where, step in flat(plan(drawn))
        if isinstance(step, AddAddress)
    )
    assert given_to == Counter(
        (end.node, end.name, address)
        for each in drawn.links
        for end in each.ends
        for address in end.addresses
    )


def macs_of(step: Operation) -> Iterator[str]:
    if isinstance(step, AddBridge | AddVeth):
        yield step.mac
    if isinstance(step, AddVeth):
        yield step.peer_mac


@given(random_topologies())
def test_indexes_are_unique_in_a_node_and_mac_addresses_everywhere(drawn: Topology) -> None:
    indexes = [key for where, step in flat(plan(drawn)) for key in made_by(where, step)]
    assert len(indexes) == len(set(indexes))
    macs = [mac for _, step in flat(plan(drawn)) for mac in macs_of(step)]
    assert len(macs) == len(set(macs))
    assert all(int(mac[:2], 16) & 3 == 2 for mac in macs), "locally administered, unicast"


@given(random_topologies())
def test_a_hosts_batch_comes_whole(drawn: Topology) -> None:
    planned = plan(drawn)
    for each in drawn.nodes:
        count = len(batches_of(planned, each.name))
        assert count == 1 if each.kind is not Kind.SWITCH else count in (1, 2)
