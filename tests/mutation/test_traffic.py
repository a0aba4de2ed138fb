"""A scenario that looks at traffic alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.model.address import Count
from lab.model.events import Mismatch
from lab.model.expectation import ConntrackEntry, OutcomeIs, RuleCounter
from lab.model.scenario import Run
from tests.mutation.scenarios import PAIR, read
from tools.mutation.traffic import is_of_traffic, rule_text, traffic_only

SCENARIO = (
    PAIR
    + """\
  - on: server
    run: iptables -A INPUT -j ACCEPT
    expect: {stdout: {equals: ""}, rules: {table: filter, chain: INPUT, rule: 1, packets: 0}}
  - on: server
    run: "false"
    expect: {exit: 1}
  - connect: {from: client, to: "10.0.0.2:80"}
    expect:
      outcome: refused
      conntrack: {on: server, none: true}
      rules:
        - {on: server, table: filter, chain: INPUT, rule: 1, hits: 1, text: ACCEPT, count: 1}
        - {on: server, table: filter, chain: INPUT, count: 1}
        - {on: server, table: filter, chain: INPUT, rule: 1, packets: "<9"}
  - on: server
    check: {policies: {filter/INPUT: ACCEPT}, sysctls: {net.ipv4.ip_forward: 0}}
  - on: server
    restore: {text: "*filter\\nEND0\\nCOMMIT\\n", noflush: true}
"""
)
RULE = "-A INPUT -j ACCEPT"


def counters(expected: tuple[object, ...]) -> list[RuleCounter]:
    return [each for each in expected if isinstance(each, RuleCounter)]


def test_only_what_is_expected_of_traffic_is_left(tmp_path: Path) -> None:
    reduced = traffic_only(read(tmp_path, SCENARIO), None, {})
    kinds = [[type(each) for each in step.expect] for step in reduced.steps]
    assert kinds == [
        [RuleCounter],
        [],
        [OutcomeIs, ConntrackEntry, RuleCounter, RuleCounter],
        [],
        [],
    ]


def test_the_step_of_the_command_does_not_count(tmp_path: Path) -> None:
    reduced = traffic_only(read(tmp_path, SCENARIO), 1, {})
    assert reduced.steps[0].expect == ()
    assert reduced.steps[2].expect != ()


def test_a_rule_is_known_by_its_text_and_only_its_counters_count(tmp_path: Path) -> None:
    reduced = traffic_only(read(tmp_path, SCENARIO), None, {3: [RULE, RULE]})
    first, second = counters(reduced.steps[2].expect)
    assert (first.rule, first.text, first.count) == (None, RULE, None)
    assert (first.hits, second.packets) == (Count(1, 1), Count(0, 8))


def test_where_texts_do_not_tell_rules_apart_their_numbers_do(tmp_path: Path) -> None:
    first, _ = counters(traffic_only(read(tmp_path, SCENARIO), None, {}).steps[2].expect)
    assert (first.rule, first.text) == (1, None)


def test_a_rule_that_is_gone_is_wrong_only_where_it_should_have_counted(tmp_path: Path) -> None:
    reduced = traffic_only(read(tmp_path, SCENARIO), None, {3: [RULE, RULE]})
    counted, may_be_none = counters(reduced.steps[2].expect)
    field = "rules server filter/INPUT"
    for expected, name, noticed in (
        (counted, "text", True),
        (counted, "text hits", True),
        (may_be_none, "text", False),
        (may_be_none, "text packets", True),
    ):
        told = Mismatch(
            field=f"{field} {name}", expected="", observed="", location=str(expected.location)
        )
        assert is_of_traffic(told) is noticed


def test_a_failing_command_is_let_pass_unless_it_is_meant_to_stop_the_script(
    tmp_path: Path,
) -> None:
    first, second = traffic_only(read(tmp_path, SCENARIO), None, {}).steps[:2]
    assert isinstance(first.action, Run)
    assert isinstance(second.action, Run)
    assert "set +e" in first.action.script
    assert "set +e" not in second.action.script
    assert len(first.action.script.splitlines()) == 1


def test_a_rule_set_that_is_refused_is_let_pass_too(tmp_path: Path) -> None:
    action = traffic_only(read(tmp_path, SCENARIO), None, {}).steps[4].action
    assert isinstance(action, Run)
    assert "iptables-restore --noflush <<'END1'\n*filter\nEND0\nCOMMIT\n" in action.script


def test_the_text_of_a_rule_is_taken_from_what_a_step_reported() -> None:
    assert rule_text("nat [12] -A INPUT -m comment --comment [a]") == (
        "-A INPUT -m comment --comment [a]"
    )
    with pytest.raises(ValueError, match="not a counted rule"):
        rule_text("tcp 10.0.0.1")
