"""What a step shows of the tables that it looked at."""

from __future__ import annotations

from lab.model.address import Count
from lab.model.expectation import (
    ConntrackEntry,
    Packet,
    Packets,
    Policy,
    RuleCounter,
    Stdout,
    Sysctl,
    Text,
)
from lab.observe.conntrack import entries
from lab.observe.evidence import evidence
from lab.observe.rules import ruleset
from lab.observe.seen import Seen
from tests.observe.reading import HERE, tuple_pattern

ENTRY = (
    "ipv4     2 tcp      6 119 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=40000 dport=80"
    " src=10.0.0.2 dst=10.0.0.1 sport=80 dport=40000 [ASSURED] mark=0 zone=0 use=2"
)
RULES = """*filter
:INPUT DROP [3:180]
[2:120] -A INPUT -s 10.0.0.1/32 -j ACCEPT
[1:60] -A INPUT -j LOG
COMMIT
"""
FILTER = Seen(rules={("a", "ipv4"): ruleset(RULES)})


def test_an_entry_is_shown_by_its_tuples() -> None:
    seen = Seen(conntrack={"a": entries(ENTRY)})
    assert evidence(ConntrackEntry(HERE, "a"), seen) == [
        (
            "conntrack",
            "a",
            "tcp TIME_WAIT 10.0.0.1:40000 > 10.0.0.2:80,"
            " reply 10.0.0.2:80 > 10.0.0.1:40000 [ASSURED]",
        )
    ]


def test_that_there_is_no_entry_is_shown_too() -> None:
    expected = ConntrackEntry(HERE, "a", count=Count.exactly(0))
    assert evidence(expected, Seen(conntrack={"a": ()})) == [("conntrack", "a", "no such entry")]


def test_a_rule_is_shown_with_its_counter() -> None:
    assert evidence(RuleCounter(HERE, "a", "filter", "INPUT", rule=2), FILTER) == [
        ("rule", "a", "filter [1] -A INPUT -j LOG")
    ]


def test_the_number_of_rules_is_shown_where_no_rule_is_meant() -> None:
    expected = RuleCounter(HERE, "a", "filter", "INPUT", count=Count.exactly(2))
    assert evidence(expected, FILTER) == [("chain", "a", "filter/INPUT has 2 rules")]


def test_rules_chosen_by_their_text_are_all_shown() -> None:
    expected = RuleCounter(HERE, "a", "filter", "INPUT", text="-A INPUT")
    assert [kind for kind, _, _ in evidence(expected, FILTER)] == ["rules", "rules"]


def test_a_policy_is_shown() -> None:
    expected = Policy(HERE, "a", "filter", "INPUT", "ACCEPT")
    assert evidence(expected, FILTER) == [("policy", "a", "filter/INPUT DROP")]


def test_a_setting_is_shown_with_its_value() -> None:
    seen = Seen(sysctls={("a", "net.ipv4.ip_forward"): "0"})
    assert evidence(Sysctl(HERE, "a", "net.ipv4.ip_forward", "1"), seen) == [
        ("sysctl", "a", "net.ipv4.ip_forward = 0")
    ]


def test_a_packet_that_must_not_pass_is_named() -> None:
    packet = Packet(
        HERE, "a", "eth0", "tcp", tuple_pattern("10.0.0.1 > 10.0.0.2:80"), "S", seen=False
    )
    assert evidence(Packets(HERE, (packet,)), Seen()) == [
        ("packet", "a:eth0", "no tcp 10.0.0.1 > 10.0.0.2:80 S")
    ]


def test_what_a_command_printed_is_shown_line_by_line() -> None:
    expected = Stdout(HERE, Text(contains="b"))
    assert evidence(expected, Seen(stdout="a\nb\n")) == [("stdout", "", "a"), ("stdout", "", "b")]
