"""A scenario that looks at traffic alone, for asking whether traffic notices a deletion.

Exit codes are let pass, and scripts go on behind a command that fails, as somebody who types them
would; what lists a table is not looked at. A rule is known by its text rather than its number,
for where a rule is gone the numbers of those behind it say nothing about traffic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from lab.model.errors import Location
from lab.model.events import Mismatch
from lab.model.expectation import (
    ClientSaw,
    ConntrackEntry,
    ExitCodeIs,
    Expectation,
    OutcomeIs,
    Packets,
    RuleCounter,
    ServerSaw,
    SourcePort,
)
from lab.model.scenario import Action, Restore, Run, Scenario, Step
from lab.model.topology import Topology

RuleTexts = Mapping[int, Sequence[str]]
"""For each step the rules that it counts by their numbers: their texts, in the steps' order."""

_GO_ON: Final = "set +e; trap - ERR; trap 'exit 0' EXIT; "
_NEVER_MIND: Final = "trap 'exit 0' EXIT; "
_NO_RULE_NEEDED: Final = Location("a rule that may be gone")
_OBSERVED_RULE: Final = re.compile(r"\S+ \[\d+\] (.*)", re.DOTALL)


def traffic_only(scenario: Scenario, apart_from: int | None, rules: RuleTexts) -> Scenario:
    """Reduce a scenario to what its steps say about traffic.

    Args:
        scenario: the scenario.
        apart_from: the step whose own expectations do not count; None where all of them do.
        rules: the texts of the rules that steps count, as far as they tell them apart.
    """
    return replace(
        scenario,
        topology=_going_on(scenario.topology),
        steps=tuple(
            replace(
                step,
                action=_tolerant(step),
                expect=()
                if step.number == apart_from
                else tuple(_of_traffic(step.expect, rules.get(step.number, ()))),
            )
            for step in scenario.steps
        ),
    )


def is_of_traffic(mismatch: Mismatch) -> bool:
    """Whether what fails in a scenario so reduced is traffic.

    A rule that is gone has counted nothing; that is wrong only where it should have counted.
    """
    if mismatch.location != str(_NO_RULE_NEEDED):
        return True
    return mismatch.field.endswith((" packets", " hits"))


def rule_text(observed: str) -> str:
    """A rule's own text out of the line by which a step reports a rule that it counted."""
    found = _OBSERVED_RULE.fullmatch(observed)
    if found is None:
        raise ValueError(f"not a counted rule: {observed}")
    return found[1]


def _of_traffic(expected: Iterable[Expectation], rules: Sequence[str]) -> Iterable[Expectation]:
    texts = iter(rules)
    for each in expected:
        match each:
            case (
                OutcomeIs()
                | ServerSaw()
                | ClientSaw()
                | SourcePort()
                | ConntrackEntry()
                | Packets()
            ):
                yield each
            case RuleCounter():
                text = next(texts, None) if each.rule is not None else None
                if each.packets is not None or each.hits is not None:
                    yield _counter(each, text)
            case _:
                pass


def _counter(expected: RuleCounter, text: str | None) -> RuleCounter:
    """Only the counters, of the rule that has this text if it is known."""
    counts = [count for count in (expected.packets, expected.hits) if count is not None]
    counter = replace(expected, count=None)
    if text is not None:
        counter = replace(counter, rule=None, text=text)
    elif counter.rule is not None:
        counter = replace(counter, text=None)
    if all(count.matches(0) for count in counts):
        counter = replace(counter, location=_NO_RULE_NEEDED)
    return counter


def _tolerant(step: Step) -> Action:
    """The same action, but that no exit code fails it."""
    action = step.action
    if isinstance(action, Restore):
        return _restore(action)
    if not isinstance(action, Run) or step.background is not None:
        return action
    # Where a failure is expected, the lines behind it are not meant to be run.
    stops = any(isinstance(each, ExitCodeIs) for each in step.expect)
    return replace(action, script=(_NEVER_MIND if stops else _GO_ON) + action.script)


def _restore(action: Restore) -> Run:
    """The same rules from a here-document, with a delimiter that is none of their lines."""
    tool = "ip6tables-restore" if action.family == "ipv6" else "iptables-restore"
    options = " --noflush" if action.noflush else ""
    lines = set(action.text.split("\n"))
    end = next(word for n in range(len(lines) + 1) if (word := f"END{n}") not in lines)
    script = f"{_NEVER_MIND}{tool}{options} <<'{end}'\n{action.text}\n{end}\n"
    return Run(script, 0)


def _going_on(topology: Topology) -> Topology:
    nodes = tuple(
        replace(
            node,
            exec=tuple(replace(each, text=_GO_ON + each.text) for each in node.exec),
        )
        for node in topology.nodes
    )
    return replace(topology, nodes=nodes)
