"""Conntrack entries, rule counters and policies that a scenario expects, beside the real ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.model.address import Count
from lab.model.expectation import ConntrackEntry, Expectation, Policy, RuleCounter
from lab.observe.conntrack import entries
from lab.observe.rules import ruleset
from lab.observe.seen import Seen
from lab.observe.verdict import mismatches
from tests.observe.reading import HERE, tuple_pattern

PORT_FORWARD = (
    "tcp      6 119 TIME_WAIT src=10.10.10.10 dst=22.22.22.22 sport=50176 dport=81 "
    "src=192.168.1.2 dst=10.10.10.10 sport=80 dport=50176 [ASSURED] mark=0 use=1"
)
UNANSWERED = (
    "tcp      6 115 SYN_SENT src=192.168.1.185 dst=192.168.1.34 sport=61777 dport=81 "
    "[UNREPLIED] src=192.168.1.32 dst=192.168.1.185 sport=80 dport=61777 mark=0 use=1"
)
RULES = """\
*nat
:PREROUTING ACCEPT [3:180]
:POSTROUTING DROP [0:0]
:WEB - [0:0]
[4:240] -A PREROUTING -p tcp -m tcp --dport 81 -j DNAT --to-destination 192.168.1.2:80
[1:60] -A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.1
COMMIT
"""
EARLIER = RULES.replace("[4:240]", "[3:180]")


def told(expected: Expectation, seen: Seen) -> list[tuple[str, str, str]]:
    """The mismatches as field, expected and observed."""
    found = mismatches(expected, seen)
    assert all(mismatch.location == "x.lab.yaml:7:5" for mismatch in found)
    return [(mismatch.field, mismatch.expected, mismatch.observed) for mismatch in found]


def tracking(*lines: str) -> Seen:
    return Seen(conntrack={"router": entries("\n".join(lines))})


FORWARDED = ConntrackEntry(
    HERE,
    "router",
    proto="tcp",
    original=tuple_pattern("10.10.10.10 > 22.22.22.22:81"),
    reply=tuple_pattern("192.168.1.2:80 > 10.10.10.10"),
    status=("ASSURED",),
)


def test_an_entry_is_found() -> None:
    assert told(FORWARDED, tracking(UNANSWERED, PORT_FORWARD)) == []


def test_the_closest_entry_is_told_field_by_field() -> None:
    expected = replace(
        FORWARDED,
        reply=tuple_pattern("192.168.1.2:80 > 192.168.1.3"),
        state="ESTABLISHED",
        status=("ASSURED", "OFFLOAD"),
    )
    assert told(expected, tracking(UNANSWERED, PORT_FORWARD)) == [
        (
            "conntrack router reply",
            "192.168.1.2:80 > 192.168.1.3",
            "192.168.1.2:80 > 10.10.10.10:50176",
        ),
        ("conntrack router state", "ESTABLISHED", "TIME_WAIT"),
        ("conntrack router status", "ASSURED OFFLOAD", "ASSURED"),
    ]


def test_an_entry_of_another_flow_is_only_listed() -> None:
    assert told(FORWARDED, tracking(UNANSWERED)) == [
        (
            "conntrack router",
            "tcp 10.10.10.10 > 22.22.22.22:81, reply 192.168.1.2:80 > 10.10.10.10 [ASSURED]",
            "no such entry (1 other: tcp SYN_SENT 192.168.1.185:61777 > 192.168.1.34:81"
            ", reply 192.168.1.32:80 > 192.168.1.185:61777 [UNREPLIED])",
        )
    ]


def test_an_empty_table_is_told() -> None:
    assert told(ConntrackEntry(HERE, "router", proto="udp"), tracking()) == [
        ("conntrack router", "udp", "no entry")
    ]


def test_entries_are_counted() -> None:
    nothing = ConntrackEntry(HERE, "router", proto="tcp", count=Count.exactly(0))
    assert told(nothing, tracking()) == []
    assert told(nothing, tracking(PORT_FORWARD)) == [
        (
            "conntrack router count",
            "0 of tcp",
            "1: tcp TIME_WAIT 10.10.10.10:50176 > 22.22.22.22:81"
            ", reply 192.168.1.2:80 > 10.10.10.10:50176 [ASSURED]",
        )
    ]
    assert told(replace(nothing, count=Count(2, None)), tracking(PORT_FORWARD, UNANSWERED)) == []


def test_too_few_entries_are_told() -> None:
    expected = ConntrackEntry(HERE, "router", state="TIME_WAIT", count=Count(2, None))
    ((field, wanted, observed),) = told(expected, tracking(PORT_FORWARD, UNANSWERED))
    assert (field, wanted) == ("conntrack router count", ">=2 of TIME_WAIT")
    assert observed.startswith("1: tcp TIME_WAIT")


def ruled(before: str = EARLIER, after: str = RULES) -> Seen:
    place = ("router", "ipv4")
    return Seen(rules={place: ruleset(after)}, rules_before={place: ruleset(before)})


def rule(**fields: object) -> RuleCounter:
    return RuleCounter(HERE, "router", "nat", "PREROUTING", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "expected",
    [
        rule(rule=1, packets=Count.exactly(4)),
        rule(rule=1, hits=Count.exactly(1)),
        rule(rule=2, hits=Count.exactly(0), text="--dport 80"),
        rule(text="-j DNAT", packets=Count.exactly(5), hits=Count.exactly(1)),
        rule(count=Count.exactly(2)),
    ],
)
def test_a_rule_holds(expected: RuleCounter) -> None:
    assert told(expected, ruled()) == []


FIRST = "#1 [4:240] -A PREROUTING -p tcp -m tcp --dport 81 -j DNAT --to-destination 192.168.1.2:80"
SECOND = "#2 [1:60] -A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.1"


@pytest.mark.parametrize(
    ("expected", "field", "wanted", "observed"),
    [
        (rule(rule=1, packets=Count.exactly(0)), "#1 packets", "0", f"4 ({FIRST})"),
        (rule(rule=1, hits=Count(2, None)), "#1 hits", ">=2", f"1 ({FIRST})"),
        (rule(rule=1, text="--dport 80"), "#1 text", "--dport 80", FIRST.partition("] ")[2]),
        (rule(rule=3, packets=Count(1, None)), "#3", "a rule", f"2 rules: {FIRST}; {SECOND}"),
        (rule(text="-j DROP"), "text", "-j DROP", f"2 rules: {FIRST}; {SECOND}"),
        (rule(count=Count.exactly(3)), "count", "3", f"2 rules: {FIRST}; {SECOND}"),
        (
            rule(packets=Count.exactly(0)),
            "packets",
            "0",
            "unknown: neither rule nor text says of which rule",
        ),
    ],
)
def test_what_does_not_hold_of_a_rule_is_told(
    expected: RuleCounter, field: str, wanted: str, observed: str
) -> None:
    assert told(expected, ruled()) == [(f"rules router nat/PREROUTING {field}", wanted, observed)]


def test_an_empty_chain_has_no_rules_to_list() -> None:
    expected = replace(rule(rule=1, packets=Count.exactly(0)), chain="WEB")
    assert told(expected, ruled()) == [("rules router nat/WEB #1", "a rule", "0 rules")]


def test_hits_that_nobody_can_know_fit_nothing() -> None:
    zeroed = RULES.replace("[4:240]", "[0:0]")
    assert told(rule(rule=1, hits=Count(0, None)), ruled(after=zeroed)) == [
        (
            "rules router nat/PREROUTING #1 hits",
            ">=0",
            "unknown: its counter was zeroed meanwhile: 3, then 0",
        )
    ]


def test_a_chain_that_is_not_there_is_told() -> None:
    expected = replace(rule(rule=1), chain="NOWHERE")
    assert told(expected, ruled()) == [("rules router nat/NOWHERE", "a chain", "no such chain")]


@pytest.mark.parametrize(
    ("chain", "policy", "observed"),
    [
        ("POSTROUTING", "DROP", None),
        ("OUTPUT", "ACCEPT", None),
        ("POSTROUTING", "ACCEPT", "DROP"),
        ("WEB", "ACCEPT", "no policy: not a built-in chain"),
        ("NOWHERE", "ACCEPT", "no such chain"),
    ],
)
def test_a_policy(chain: str, policy: str, observed: str | None) -> None:
    found = told(Policy(HERE, "router", "nat", chain, policy), ruled())
    expected = [] if observed is None else [(f"policies router nat/{chain}", policy, observed)]
    assert found == expected
