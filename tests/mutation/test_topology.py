"""What a topology sets up beyond its cables, left out entry by entry."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from lab.model.errors import Location
from lab.model.topology import Command, Kind, Node, Route, Topology
from tools.mutation.topology import reduced, route_text

HERE = Location("a.lab.yaml", 7, 3)
DEFAULT = Route(ip_network("0.0.0.0/0"), via=ip_address("10.0.0.1"))
BLACKHOLE = Route(ip_network("10.9.0.0/16"), kind="blackhole")
ROUTER = Node(
    "r",
    Kind.ROUTER,
    sysctls=(("net.ipv4.ip_forward", "1"), ("net.ipv4.conf.all.rp_filter", "0")),
    routes=(DEFAULT, BLACKHOLE),
    exec=(Command("iptables -F\niptables -P INPUT DROP  # unneeded: quiet", HERE),),
)
LAN = Node("lan", Kind.SWITCH, bridge_nf=True)
TOPOLOGY = Topology("t", (ROUTER, LAN, Node("host")))


def test_each_route_setting_and_command_is_left_out_once() -> None:
    assert [each.gone for each in reduced(TOPOLOGY)] == [
        "r: default via 10.0.0.1",
        "r: blackhole 10.9.0.0/16",
        "r: net.ipv4.ip_forward=1",
        "r: net.ipv4.conf.all.rp_filter=0",
        "r: iptables -F",
        "r: iptables -P INPUT DROP",
        "lan: bridge-nf-call-iptables",
    ]


def test_nothing_else_is_left_out_with_it() -> None:
    lost = []
    for each in reduced(TOPOLOGY):
        router, lan, host = each.topology.nodes
        lost.append(
            len(ROUTER.routes)
            - len(router.routes)
            + len(ROUTER.sysctls)
            - len(router.sysctls)
            + (router.exec != ROUTER.exec)
            + (lan != LAN)
        )
        assert host == Node("host")
    assert lost == [1] * 7


def test_a_command_tells_its_place_and_its_marking() -> None:
    first, second = (each for each in reduced(TOPOLOGY) if each.location is not None)
    assert (first.location, first.unneeded) == (HERE, "")
    assert (second.location, second.unneeded) == (HERE, "quiet")


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (DEFAULT, "default via 10.0.0.1"),
        (BLACKHOLE, "blackhole 10.9.0.0/16"),
        (Route(ip_network("fd00::/64"), dev="eth0"), "fd00::/64 dev eth0"),
    ],
)
def test_a_route_is_written_as_in_a_topology(route: Route, text: str) -> None:
    assert route_text(route) == text
