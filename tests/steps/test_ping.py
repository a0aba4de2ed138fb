"""`ping`: ICMP echo, and what comes back."""

from __future__ import annotations

import pytest

from lab.model.events import Flow
from tests.steps.conftest import Play
from tests.steps.playing import IMPATIENT, ROUTED


@pytest.mark.parametrize(
    ("to", "source", "target"),
    [
        ("b", "10.0.0.1", "10.0.0.2"),
        ("fd00::2", "fd00::1", "fd00::2"),
        ("a", "10.0.0.1", "10.0.0.1"),
    ],
)
def test_a_host_answers(play: Play, to: str, source: str, target: str) -> None:
    played = play(f'- {{ping: {{from: a, to: "{to}"}}}}')
    assert played.passed
    (flow,) = played.all(Flow)
    assert (flow.proto, flow.outcome) == ("icmp", "answered")
    assert (flow.source, flow.target) == (source, target)
    assert (flow.answer_source, flow.answer_dest) == (target, source)


def test_each_request_is_a_flow(play: Play) -> None:
    assert play("- {ping: {from: a, to: b, count: 5}}").outcomes(1) == ["answered"] * 5


def test_the_source_can_be_chosen(play: Play) -> None:
    played = play(
        """
- on: b
  run: ip route add 192.0.2.0/24 via 10.0.0.1
- on: a
  run: ip address add 192.0.2.1/32 dev lo
- ping: {from: a, to: b, source: 192.0.2.1}
"""
    )
    assert played.passed
    assert [flow.source for flow in played.all(Flow)] == ["192.0.2.1"]


def test_a_source_that_is_not_there_is_told(play: Play) -> None:
    played = play(
        """
- {on: a, run: ip address flush dev eth0}
- {ping: {from: a, to: b, source: 10.0.0.1}, expect: {outcome: no-answer}}
"""
    )
    words = "Cannot assign requested address"
    assert played.reason(2) == f"a: cannot send from 10.0.0.1: {words}"


@pytest.mark.parametrize(
    ("node", "chain", "how"),
    [("b", "INPUT", "timed out"), ("a", "OUTPUT", "Operation not permitted")],
)
def test_a_drop_is_no_answer(play: Play, backend: str, node: str, chain: str, how: str) -> None:
    played = play(
        f"""
- {{on: {node}, run: "iptables -A {chain} -p icmp -j DROP"}}
- {{ping: {{from: a, to: b, count: 2}}, expect: {{outcome: no-answer}}}}
""",
        iptables=backend,
    )
    assert played.passed
    assert played.outcomes(2) == [f"no-answer {how}"] * 2


def test_what_answers_where_silence_is_expected_is_told(play: Play) -> None:
    played = play("- {ping: {from: a, to: b}, expect: {outcome: no-answer}}")
    assert played.mismatches(1) == [("outcome", "no-answer", "answered")]


@pytest.mark.parametrize(
    ("rule", "to", "told"),
    [
        ("iptables -A INPUT", "b", "port-unreachable from 10.0.0.2"),
        (
            "iptables -A INPUT --reject-with icmp-admin-prohibited",
            "b",
            "admin-prohibited from 10.0.0.2",
        ),
        (
            "ip6tables -A INPUT -p icmpv6 --icmpv6-type echo-request"
            " --reject-with icmp6-adm-prohibited",
            "fd00::2",
            "adm-prohibited from fd00::2",
        ),
    ],
)
def test_a_reject_is_told_by_its_icmp_error(
    play: Play, backend: str, rule: str, to: str, told: str
) -> None:
    match, _, how = rule.partition(" --reject-with")
    how = f" --reject-with{how}" if how else ""
    played = play(
        f"""
- {{on: b, run: "{match} -j REJECT{how}"}}
- ping: {{from: a, to: "{to}"}}
  expect: {{outcome: unreachable, icmp: {told.split()[0]}}}
""",
        iptables=backend,
    )
    assert played.passed
    assert played.outcomes(2) == [f"unreachable {told}"]


def test_a_reject_in_the_senders_own_output_counts_as_any(play: Play, backend: str) -> None:
    played = play(
        """
- {on: a, run: "iptables -A OUTPUT -p icmp --icmp-type echo-request -j REJECT"}
- ping: {from: a, to: b}
  expect: {outcome: unreachable, icmp: port-unreachable}
""",
        iptables=backend,
    )
    assert played.passed


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("192.0.2.1", "net-unreachable from 10.0.1.254"),
        ("10.0.1.99", "host-unreachable from 10.0.1.1"),
        ("10.0.2.99", "host-unreachable from 10.0.1.254"),
        ("fd01::99", "addr-unreachable from fd01::1"),
        ("2001:db8::1", "no-route from fd01::ff"),
    ],
)
def test_what_is_not_there_is_unreachable(play: Play, to: str, told: str) -> None:
    played = play(
        f'- {{ping: {{from: a, to: "{to}"}}, expect: {{outcome: unreachable}}}}', IMPATIENT
    )
    assert played.passed
    assert played.outcomes(1) == [f"unreachable {told}"]


def test_a_time_to_live_that_runs_out_is_told_with_the_router(play: Play) -> None:
    played = play(
        """
- {on: a, run: sysctl -w net.ipv4.ip_default_ttl=1}
- {ping: {from: a, to: b}, expect: {outcome: unreachable, icmp: ttl-exceeded}}
""",
        ROUTED,
    )
    assert played.passed
    assert played.outcomes(2) == ["unreachable ttl-exceeded from 10.0.1.254"]


def test_requests_that_the_deadline_leaves_no_time_for_are_not_silent(play: Play) -> None:
    played = play(
        """
- {on: b, run: "iptables -A INPUT -j DROP"}
- {ping: {from: a, to: b, count: 1000}, timeout: 100ms, expect: {outcome: no-answer}}
"""
    )
    assert played.reason(2).startswith("only ")
    assert " of 1000 flows were sent before the deadline of 0.1 s" in played.reason(2)
