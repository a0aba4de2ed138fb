"""Lines of ``ip route`` and ``ip neigh`` that a scenario expects, beside the kernel's tables."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from lab.kernel.rtnl_records import NeighbourEntry, NextHop, RouteEntry
from lab.model.expectation import Expectation, Neighbour, RouteLine
from lab.observe.seen import Seen
from lab.observe.tables import carries
from lab.observe.verdict import mismatches
from tests.observe.reading import HERE

DEFAULT = RouteEntry(
    kind="unicast",
    destination=ip_network("0.0.0.0/0"),
    hops=(NextHop(ip_address("22.22.22.1"), "ppp0"),),
    proto="boot",
    scope="global",
    source=None,
    metric=None,
)
LAN = RouteEntry(
    kind="unicast",
    destination=ip_network("192.168.1.0/24"),
    hops=(NextHop(None, "lan0"),),
    proto="kernel",
    scope="link",
    source=ip_address("192.168.1.3"),
    metric=None,
)
SERVER = NeighbourEntry(ip_address("192.168.1.1"), "lan0", "02:00:00:00:00:01", "REACHABLE")
SEEN = Seen(routes={"router": (DEFAULT, LAN)}, neighbours={"router": (SERVER,)})


def told(expected: Expectation, seen: Seen = SEEN) -> list[tuple[str, str, str]]:
    """The mismatches as field, expected and observed."""
    return [(it.field, it.expected, it.observed) for it in mismatches(expected, seen)]


@pytest.mark.parametrize(
    ("expected", "there"),
    [
        ("default via 22.22.22.1 dev ppp0", True),
        ("default", True),
        ("0.0.0.0/0 dev ppp0", True),
        ("dev ppp0 via 22.22.22.1 default", True),
        ("default via 22.22.22.1 dev ppp1", False),
        ("default via ppp0 dev 22.22.22.1", False),
        ("default 22.22.22.1", False),
        ("default dev ppp0 dev ppp0", False),
    ],
)
def test_every_word_must_be_there_in_any_order(expected: str, there: bool) -> None:
    assert carries("default via 22.22.22.1 dev ppp0", expected) == there


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("default via fd00::1 dev lan0 metric 1024 pref medium", "::/0 via fd00:0:0::1"),
        ("10.5.0.1 dev lan0", "10.5.0.1/32 dev lan0"),
        ("10.5.0.0/16 via inet6 fd00::1 dev lan0", "10.5.0.0/16 via fd00::1"),
        ("192.168.1.1 dev lan0 lladdr 02:00:00:00:00:0a STALE", "lladdr 02:00:00:00:00:0A"),
    ],
)
def test_addresses_may_be_written_in_other_ways(line: str, expected: str) -> None:
    assert carries(line, expected)


def test_a_route_is_there() -> None:
    assert told(RouteLine(HERE, "router", "192.168.1.0/24 dev lan0 src 192.168.1.3")) == []


def test_a_route_to_the_same_destination_is_shown() -> None:
    assert told(RouteLine(HERE, "router", "default via 22.22.22.9 dev ppp0")) == [
        (
            "routes router",
            "default via 22.22.22.9 dev ppp0",
            "default via 22.22.22.1 dev ppp0",
        )
    ]


def test_otherwise_the_table_is_shown() -> None:
    assert told(RouteLine(HERE, "router", "10.0.0.0/8 dev lan0")) == [
        (
            "routes router",
            "10.0.0.0/8 dev lan0",
            "no such route (2 others: default via 22.22.22.1 dev ppp0; "
            "192.168.1.0/24 dev lan0 proto kernel scope link src 192.168.1.3)",
        )
    ]
    empty = Seen(routes={"router": ()})
    assert told(RouteLine(HERE, "router", "default"), empty) == [
        ("routes router", "default", "no route")
    ]


def test_a_route_that_must_not_be_there() -> None:
    assert told(RouteLine(HERE, "router", "10.0.0.0/8", present=False)) == []
    assert told(RouteLine(HERE, "router", "default", present=False)) == [
        ("routes router", "no route default", "default via 22.22.22.1 dev ppp0")
    ]


def test_a_neighbour() -> None:
    assert told(Neighbour(HERE, "router", "192.168.1.1 dev lan0 REACHABLE")) == []
    assert told(Neighbour(HERE, "router", "192.168.1.1 FAILED")) == [
        (
            "neighbours router",
            "192.168.1.1 FAILED",
            "192.168.1.1 dev lan0 lladdr 02:00:00:00:00:01 REACHABLE",
        )
    ]
    assert told(Neighbour(HERE, "router", "192.168.1.2", present=False)) == []
