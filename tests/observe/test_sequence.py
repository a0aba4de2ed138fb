"""Packets that a scenario expects, beside those that passed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel.packet_socket import Way
from lab.model.expectation import Packet, Packets
from lab.observe.packets import Headers, SeenPacket
from lab.observe.seen import Seen
from lab.observe.sequence import differences, in_order, packets
from tests.observe.reading import HERE, tuple_of, tuple_pattern

SYN = "192.168.1.185:61777 > 192.168.1.34:81"
REWRITTEN = "192.168.1.185:61777 > 192.168.1.32:80"
ANSWER = "192.168.1.32:80 > 192.168.1.185:61777"


def passed(time: int, at: str, ends: str, flags: str = "S", ttl: int = 64) -> SeenPacket:
    node, interface = at.split(":")
    headers = Headers("tcp", tuple_of(ends), ttl, flags=flags)
    return SeenPacket(time, node, interface, Way.IN, headers, 74)


def wanted(at: str, ends: str, flags: str | None = None, ttl: int | None = None) -> Packet:
    node, interface = at.split(":")
    return Packet(HERE, node, interface, "tcp", tuple_pattern(ends), flags, ttl)


def unwanted(at: str, ends: str, flags: str | None = None) -> Packet:
    node, interface = at.split(":")
    return Packet(HERE, node, interface, "tcp", tuple_pattern(ends), flags, seen=False)


# A client's connection to port 81 of A, which A sends on to B, and which B answers directly.
SINGLE_NIC = (
    passed(10, "client:eth0", SYN),
    passed(20, "b:eth0", REWRITTEN, ttl=63),
    passed(30, "b:eth0", ANSWER, "SA"),
    passed(40, "client:eth0", ANSWER, "SA"),
    passed(50, "client:eth0", REWRITTEN, "R"),
)
ARTICLE = (
    wanted("b:eth0", "192.168.1.185 > 192.168.1.32:80", "S"),
    wanted("client:eth0", "192.168.1.32:80 > 192.168.1.185", "SA"),
    wanted("client:eth0", "192.168.1.185 > 192.168.1.32:80", "R"),
)


def told(expected: tuple[Packet, ...], seen: Seen) -> list[tuple[str, str, str]]:
    """The mismatches as field, expected and observed."""
    found = packets(Packets(HERE, expected), seen)
    assert all(mismatch.location == "x.lab.yaml:7:5" for mismatch in found)
    return [(mismatch.field, mismatch.expected, mismatch.observed) for mismatch in found]


def test_the_packets_of_the_article_are_found() -> None:
    matches = in_order(SINGLE_NIC, ARTICLE)
    assert [match.found for match in matches] == [SINGLE_NIC[1], SINGLE_NIC[3], SINGLE_NIC[4]]
    assert told(ARTICLE, Seen(packets=SINGLE_NIC)) == []


@given(st.permutations(SINGLE_NIC))
def test_the_time_stamps_make_the_order(arrived: list[SeenPacket]) -> None:
    assert told(ARTICLE, Seen(packets=tuple(arrived))) == []


def test_every_other_order_of_the_expectation_is_refused() -> None:
    for order in itertools.permutations(ARTICLE):
        assert bool(told(order, Seen(packets=SINGLE_NIC))) == (order != ARTICLE)


def test_a_packet_that_passed_too_early_is_told() -> None:
    expected = (ARTICLE[2], ARTICLE[0])
    assert told(expected, Seen(packets=SINGLE_NIC)) == [
        (
            "packet 2 at b:eth0 order",
            "tcp 192.168.1.185 > 192.168.1.32:80 S behind those before it",
            "passed earlier: tcp 192.168.1.185:61777 > 192.168.1.32:80 S ttl 63",
        )
    ]


def test_one_packet_does_not_serve_two_expectations() -> None:
    twice = (ARTICLE[0], ARTICLE[0])
    assert [match.found for match in in_order(SINGLE_NIC, twice)] == [SINGLE_NIC[1], None]


def test_other_flags_and_another_ttl_are_told_beside_those_expected() -> None:
    expected = (wanted("b:eth0", REWRITTEN, "SA", ttl=62),)
    assert told(expected, Seen(packets=SINGLE_NIC)) == [
        ("packet 1 at b:eth0 flags", "SA", "S"),
        ("packet 1 at b:eth0 ttl", "62", "63"),
    ]


def test_another_tuple_is_told_with_what_passed_there_the_closest_first() -> None:
    expected = (wanted("b:eth0", "192.168.1.34 > 192.168.1.32:80", "SA"),)
    assert told(expected, Seen(packets=SINGLE_NIC)) == [
        (
            "packet 1 at b:eth0",
            "tcp 192.168.1.34 > 192.168.1.32:80 SA",
            "no such packet (2 others: "
            "tcp 192.168.1.32:80 > 192.168.1.185:61777 SA ttl 64; "
            "tcp 192.168.1.185:61777 > 192.168.1.32:80 S ttl 63)",
        )
    ]


def test_a_silent_place_is_told() -> None:
    assert told((wanted("b:lo", REWRITTEN),), Seen(packets=SINGLE_NIC)) == [
        ("packet 1 at b:lo", f"tcp {REWRITTEN}", "no packet")
    ]


def test_a_packet_that_must_not_pass_may_not_pass_at_any_time() -> None:
    absent = unwanted("client:eth0", "192.168.1.34:81 > 192.168.1.185")
    assert told((*ARTICLE, absent), Seen(packets=SINGLE_NIC)) == []
    early = unwanted("client:eth0", SYN)
    assert told((*ARTICLE, early), Seen(packets=SINGLE_NIC)) == [
        (
            "packet 4 at client:eth0",
            f"no tcp {SYN}",
            f"tcp {SYN} S ttl 64",
        )
    ]


def test_a_packet_that_must_not_pass_takes_no_turn() -> None:
    absent = unwanted("b:eth0", "192.168.1.34:81 > 192.168.1.185")
    assert told((ARTICLE[0], absent, *ARTICLE[1:]), Seen(packets=SINGLE_NIC)) == []


def test_absence_is_unknown_where_packets_were_lost() -> None:
    absent = unwanted("b:eth0", "192.168.1.34:81 > 192.168.1.185")
    seen = Seen(packets=SINGLE_NIC, lost={"b:eth0": 3})
    assert told((absent,), seen) == [
        (
            "packet 1 at b:eth0",
            "no tcp 192.168.1.34:81 > 192.168.1.185",
            "unknown (3 packets lost here)",
        )
    ]
    assert told(ARTICLE, seen) == []


@pytest.mark.parametrize(
    ("expected", "observed", "same"),
    [
        ("SA", "SA", True),
        ("AS", "SA", True),
        ("S", "SA", False),
        ("SA", "S", False),
        ("A", "PA", False),
        ("S", "SEW", True),
        ("SEW", "SEW", True),
        ("SEW", "S", False),
    ],
)
def test_flags_are_a_set_in_which_ecn_counts_only_when_named(
    expected: str, observed: str, same: bool
) -> None:
    found = differences(wanted("b:eth0", SYN, expected), passed(1, "b:eth0", SYN, observed))
    assert (found == ()) == same


def test_icmp_stands_for_icmpv6() -> None:
    echo = SeenPacket(
        1, "b", "eth0", Way.IN, Headers("icmpv6", tuple_of("1.1.1.1 > 2.2.2.2"), 64), 98
    )
    ping = Packet(HERE, "b", "eth0", "icmp", tuple_pattern("1.1.1.1 > 2.2.2.2"))
    assert differences(ping, echo) == ()
