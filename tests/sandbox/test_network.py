"""The plan applied to network namespaces, and what the kernel refuses of it."""

from __future__ import annotations

import json
import os
import time
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings

from lab.kernel import sysctl
from lab.model.errors import Broken
from lab.model.topology import Kind, Link, Node, Route, Topology
from lab.plan.planner import plan
from lab.sandbox.network import Network
from tests.kernel.own_network import own_network, run
from tests.plan.topologies import link, random_topologies

PATIENCE = 30.0  # seconds


def built(*nodes: Node, links: tuple[Link, ...] = ()) -> Network:
    network = Network()
    network.build(plan(Topology("test", nodes, links)))
    return network


def refusal(*nodes: Node, links: tuple[Link, ...] = ()) -> str:
    with pytest.raises(Broken) as broken:
        built(*nodes, links=links)
    return str(broken.value)


@own_network
def test_an_address_given_twice_is_told_with_node_and_interface() -> None:
    twice = link("a:eth0 10.0.0.1/24 10.0.0.1/24", "b:eth0")
    assert refusal(Node("a"), Node("b"), links=(twice,)) == (
        "a: cannot add 10.0.0.1/24 to eth0: File exists"
    )


@own_network
def test_a_route_given_twice_is_told_as_ip_route_writes_it() -> None:
    route = Route(ip_network("10.9.0.0/16"), ip_address("10.0.0.2"))
    cable = link("a:eth0 10.0.0.1/24", "b:eth0")
    assert refusal(Node("a", routes=(route, route)), Node("b"), links=(cable,)) == (
        "a: cannot add route 10.9.0.0/16 via 10.0.0.2: File exists"
    )


@own_network
def test_a_gateway_out_of_reach_is_told() -> None:
    route = Route(ip_network("0.0.0.0/0"), ip_address("192.168.7.7"))
    cable = link("a:eth0 10.0.0.1/24", "b:eth0")
    assert refusal(Node("a", routes=(route,)), Node("b"), links=(cable,)) == (
        "a: cannot add route default via 192.168.7.7: Network is unreachable"
    )


@own_network
def test_an_mtu_that_no_interface_takes_is_told_with_both_ends() -> None:
    cable = link("a:eth0", "b:wan0", mtu=70_000)
    told = refusal(Node("a"), Node("b"), links=(cable,)).splitlines()
    assert told[0] == "a: cannot add interface eth0 with a cable to b:wan0: Invalid argument"


@own_network
def test_everything_refused_in_a_node_is_told() -> None:
    lost = Route(ip_network("10.8.0.0/16"), ip_address("192.168.7.7"))
    cable = link("a:eth0 10.0.0.1/24 10.0.0.1/24", "b:eth0")
    assert refusal(Node("a", routes=(lost,)), Node("b"), links=(cable,)).splitlines() == [
        "a: cannot add 10.0.0.1/24 to eth0: File exists",
        "a: cannot add route 10.8.0.0/16 via 192.168.7.7: Network is unreachable",
    ]


@own_network
@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("net.ipv4.no_such_key", "1", "No such file or directory"),
        ("net.ipv4.ip_forward", "yes", "Invalid argument"),
        ("net.ipv4.conf.eth7.rp_filter", "1", "No such file or directory"),
        ("net.netfilter.nf_conntrack_max", "7", "Permission denied"),
    ],
)
def test_a_setting_that_is_refused_is_told_with_its_node(key: str, value: str, why: str) -> None:
    assert refusal(Node("a", sysctls=((key, value),))) == f"a: cannot set {key}={value}: {why}"


@own_network
def test_a_setting_may_name_an_interface() -> None:
    key = "net.ipv4.conf.eth0.rp_filter"
    network = built(Node("a", sysctls=((key, "2"),)), Node("b"), links=(link("a:eth0", "b:eth0"),))
    with network.inside("a"):
        assert sysctl.read(key) == "2"
    with network.inside("b"):
        assert sysctl.read(key) == "0"
    network.close()


@own_network
def test_a_setting_of_the_topology_wins_over_that_of_the_kind() -> None:
    key = "net.ipv4.ip_forward"
    network = built(Node("r", Kind.ROUTER, sysctls=((key, "0"),)))
    with network.inside("r"):
        assert sysctl.read(key) == "0"
    network.close()


@own_network
def test_a_switch_keeps_frames_from_iptables_unless_it_asks() -> None:
    network = built(Node("plain", Kind.SWITCH), Node("asks", Kind.SWITCH, bridge_nf=True))
    seen = {}
    for node in ("plain", "asks"):
        with network.inside(node):
            if not sysctl.path_of("net.bridge.bridge-nf-call-iptables").exists():
                pytest.skip("this kernel has no br_netfilter")
            seen[node] = sysctl.read("net.bridge.bridge-nf-call-iptables")
    assert seen == {"plain": "0", "asks": "1"}
    network.close()


@own_network
def test_a_router_forwards_ipv6_where_it_is_used() -> None:
    default = ip_network("::/0")
    network = built(
        Node("a", routes=(Route(default, ip_address("fd00:a::254")),)),
        Node("r", Kind.ROUTER),
        Node("b", routes=(Route(default, ip_address("fd00:b::254")),)),
        links=(
            link("a:eth0 fd00:a::1/64", "r:eth0.7 fd00:a::254/64"),
            link("b:eth0 fd00:b::1/64", "r:eth1 fd00:b::254/64"),
        ),
    )
    with network.inside("a"):
        run("ping -c 1 -W 5 fd00:b::1")
    network.close()


def packets(interface: str) -> tuple[int, int]:
    """How many packets an interface has received and sent, by proc_pid_net(5)."""
    rows = Path("/proc/thread-self/net/dev").read_text().splitlines()
    (row,) = (row.split(":")[1] for row in rows if row.strip().startswith(f"{interface}:"))
    columns = row.split()
    return int(columns[1]), int(columns[9])


@own_network
def test_an_idle_link_without_ipv6_is_silent() -> None:
    """An interface that uses IPv6, made at the same time, tells when a noisy one would talk."""
    network = built(
        Node("a"),
        Node("r", Kind.ROUTER),
        Node("lan", Kind.SWITCH),
        Node("b"),
        links=(
            link("a:noisy fd00::2/64", "r:noisy fd00::1/64"),
            link("a:quiet 10.0.0.1/24", "r:quiet 10.0.0.2/24"),
            link("b:eth0 10.0.1.1/24", "lan:p1"),
            link("r:eth0 10.0.1.2/24", "lan:p2"),
        ),
    )
    chatter = 10  # that many packets both ends send within a second or two
    end = time.monotonic() + PATIENCE
    with network.inside("r"):
        while sum(packets("noisy")) < chatter:
            assert time.monotonic() < end, "no IPv6 chatter at all"
            time.sleep(0.01)
        seen = packets("quiet") + packets("eth0")
        addresses = run("ip -6 -o address show dev quiet; ip -6 -o address show dev eth0")
    assert seen == (0, 0, 0, 0)
    assert addresses == ""
    network.close()


@settings(max_examples=25)
@given(random_topologies(tree=True))
@own_network
def test_any_topology_stands_as_it_was_drawn(drawn: Topology) -> None:
    network = built(*drawn.nodes, links=drawn.links)
    for node in drawn.nodes:
        with network.inside(node.name):
            links = {shown["ifname"]: shown for shown in json.loads(run("ip -j address"))}
        ends = drawn.interfaces(node.name)
        bridge = {"br0"} if node.kind is Kind.SWITCH else set()
        assert set(links) == {"lo", *bridge, *(end.name for end in ends)}
        for end in ends:
            shown = links[end.name]
            assert {"UP", "LOWER_UP"} <= set(shown["flags"])
            assert shown.get("master") == ("br0" if bridge else None)
            shown_addresses = {
                f"{each['local']}/{each['prefixlen']}" for each in shown["addr_info"]
            }
            assert {str(address) for address in end.addresses} <= shown_addresses
    network.close()


@own_network
def test_a_network_that_is_closed_holds_no_descriptor() -> None:
    before = os.listdir("/proc/self/fd")
    network = built(Node("a"), Node("b"), links=(link("a:eth0", "b:eth0"),))
    network.close()
    assert os.listdir("/proc/self/fd") == before
