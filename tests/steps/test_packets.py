"""`packets`: what passed an interface in a step, and in which order."""

from __future__ import annotations

from lab.model.events import Observation
from tests.steps.conftest import Play
from tests.steps.playing import ROUTED

SERVE = "- {on: b, serve: {tcp: 80}}\n"


def connect(packets: str, outcome: str = "connected", to: str = "b:80") -> str:
    """A step that connects from a and expects packets."""
    return f"""
- connect: {{from: a, to: "{to}"}}
  expect:
    outcome: {outcome}
    packets: [{packets}]
"""


def test_a_handshake_is_seen_hop_by_hop_in_its_order(play: Play) -> None:
    played = play(
        SERVE
        + connect("""
      {at: "a:eth0", tcp: "a > b:80", flags: S, ttl: 64},
      {at: "r:eth0", tcp: "a > b:80", flags: S, ttl: 64},
      {at: "r:eth1", tcp: "a > b:80", flags: S, ttl: 63},
      {at: "b:eth0", tcp: "a > b:80", flags: S},
      {at: "b:eth0", tcp: "b:80 > a", flags: AS, ttl: 64},
      {at: "a:eth0", tcp: "b:80 > a", flags: SA, ttl: 63},
      {at: "a:eth0", tcp: "a > b:80", flags: A}
    """),
        ROUTED,
    )
    assert played.passed
    texts = [(seen.node, seen.text) for seen in played.all(Observation)]
    assert texts[0][0] == "a:eth0"
    assert texts[0][1].startswith("out tcp 10.0.1.1:")
    assert texts[0][1].endswith(" > 10.0.2.1:80 S ttl 64")
    assert [node for node, _ in texts] == [
        *("a:eth0", "r:eth0", "r:eth1", "b:eth0", "b:eth0", "a:eth0", "a:eth0")
    ]


def test_packets_in_another_order_are_told(play: Play) -> None:
    played = play(
        SERVE
        + connect("""
      {at: "b:eth0", tcp: "a > b:80", flags: S},
      {at: "a:eth0", tcp: "a > b:80", flags: S}
    """),
        ROUTED,
    )
    ((field, expected, observed),) = played.mismatches(2)
    assert field == "packet 2 at a:eth0 order"
    assert expected == "tcp a (10.0.1.1) > b:80 (10.0.2.1:80) S behind those before it"
    assert observed.startswith("passed earlier: tcp 10.0.1.1:")


def test_other_flags_or_hops_than_expected_are_told(play: Play) -> None:
    played = play(
        SERVE
        + connect("""
      {at: "b:eth0", tcp: "a > b:80", flags: S, ttl: 64},
      {at: "a:eth0", tcp: "b:80 > a", flags: R}
    """),
        ROUTED,
    )
    assert played.mismatches(2) == [
        ("packet 1 at b:eth0 ttl", "64", "63"),
        ("packet 2 at a:eth0 flags", "R", "SA"),
    ]


def test_a_packet_that_does_not_come_is_told_beside_what_came(play: Play) -> None:
    played = play(SERVE + connect('{at: "b:eth0", udp: "a > b:53"}'))
    ((field, expected, observed),) = played.mismatches(2)
    assert (field, expected) == (
        "packet 1 at b:eth0",
        "udp a (10.0.0.1) > b:53 (10.0.0.2:53)",
    )
    assert observed.startswith("no such packet (")


def test_a_packet_can_be_expected_not_to_pass(play: Play, backend: str) -> None:
    drop = '- {on: r, run: "iptables -A FORWARD -p tcp --dport 80 -j DROP"}\n'
    packets = (
        '{at: "r:eth0", tcp: "a > b:80", flags: S}, {at: "r:eth1", tcp: "a > b:80", seen: false}'
    )
    assert play(SERVE + drop + connect(packets, "no-answer"), ROUTED, backend).passed


def test_a_packet_that_passes_though_it_must_not_is_told(play: Play) -> None:
    played = play(SERVE + connect('{at: "b:eth0", tcp: "a > b:80", flags: S, seen: false}'))
    ((field, expected, observed),) = played.mismatches(2)
    assert (field, expected) == (
        "packet 1 at b:eth0",
        "no tcp a (10.0.0.1) > b:80 (10.0.0.2:80) S",
    )
    assert observed.startswith("tcp 10.0.0.1:")


def test_where_packets_were_lost_nothing_is_proven_by_absence(play: Play) -> None:
    """Datagrams of 40 fragments each: together more than any queue of a packet socket takes."""
    played = play(f"""
- {{on: b, serve: {{udp: 53}}}}
- connect: {{from: a, to: "b:53", proto: udp, times: 400, payload: {"x" * 59_000}}}
  expect:
    packets: [{{at: "a:eth0", tcp: "a > b:80", seen: false}}]
""")
    ((_, expected, observed),) = played.mismatches(2)
    assert expected == "no tcp a (10.0.0.1) > b:80 (10.0.0.2:80)"
    assert observed.startswith("unknown (")
    assert observed.endswith(" packets lost here)")


def test_packets_of_one_step_are_not_those_of_the_next(play: Play) -> None:
    played = play(
        SERVE
        + connect('{at: "b:eth0", tcp: "a > b:80", flags: S}')
        + connect(
            '{at: "b:eth0", tcp: "a > b:80", seen: false}, {at: "b:eth0", tcp: "a > b:81"}',
            "refused",
            "b:81",
        )
    )
    assert played.passed


def test_icmp_and_udp_are_seen_too(play: Play) -> None:
    played = play("""
- ping: {from: a, to: b}
  expect: {packets: [{at: "b:eth0", icmp: "a > b"}, {at: "a:eth0", icmp: "b > a"}]}
- connect: {from: a, to: "b:53", proto: udp}
  expect:
    outcome: refused
    packets: [{at: "b:eth0", udp: "a > b:53"}, {at: "a:eth0", icmp: "b > a"}]
- ping: {from: a, to: "fd00::2"}
  expect: {packets: [{at: "b:eth0", icmp: "fd00::1 > fd00::2"}]}
""")
    assert played.passed


def test_an_interface_that_is_gone_is_told(play: Play) -> None:
    played = play(
        "- {on: b, run: ip link del eth0}\n"
        + connect('{at: "b:eth0", tcp: "a > b:80"}', "unreachable")
    )
    assert played.reason(2) == "cannot listen at b:eth0: No such device"
