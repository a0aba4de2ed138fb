"""Deletions: a scenario without one of the commands that it, or its topology, gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab.model.errors import Location
from lab.model.scenario import Restore, Run, Scenario, Step
from tools.mutation.marking import Marking
from tools.mutation.rule_lines import RuleLine, rule_lines, without_line
from tools.mutation.script_text import shortened
from tools.mutation.topology import reduced


@dataclass(frozen=True, slots=True)
class Deletion:
    """A scenario that lacks one command.

    ``step`` is the number of the step that the command stood in, 0 for the topology. ``unneeded``
    is why the command is marked, empty for one that is not.
    """

    scenario: Scenario
    step: int
    text: str
    location: Location
    unneeded: str = ""


def deletions(
    scenario: Scenario, steps: Sequence[Step], markings: Sequence[Marking]
) -> Iterator[Deletion]:
    """Delete each command of the topology and of ``steps`` in turn, and nothing else with it.

    Args:
        scenario: the scenario.
        steps: those of its steps that take part.
        markings: what the scenario's own lines mark of the topology.
    """
    yield from _of_topology(scenario, markings)
    for step in steps:
        if isinstance(step.action, Run):
            yield from _of_script(scenario, step, step.action)
        elif isinstance(step.action, Restore):
            yield from _of_rule_set(scenario, step, step.action)


def _of_topology(scenario: Scenario, markings: Sequence[Marking]) -> Iterator[Deletion]:
    for less in reduced(scenario.topology):
        marked = next((why for each in markings if (why := each.why(less.gone))), "")
        yield Deletion(
            replace(scenario, topology=less.topology),
            0,
            less.gone,
            less.location or Location(scenario.path),
            less.unneeded or marked,
        )


def _of_script(scenario: Scenario, step: Step, run: Run) -> Iterator[Deletion]:
    for short in shortened(run.script):
        yield Deletion(
            _with_action(scenario, step, replace(run, script=short.script)),
            step.number,
            short.gone,
            Location(step.location.path, run.line + short.line, 1),
            short.unneeded,
        )


def _of_rule_set(scenario: Scenario, step: Step, restore: Restore) -> Iterator[Deletion]:
    for line in rule_lines(restore.text):
        yield Deletion(
            _with_action(scenario, step, replace(restore, text=without_line(restore.text, line))),
            step.number,
            line.text,
            _location_of_rule(step, restore, line),
            line.unneeded,
        )


def _location_of_rule(step: Step, restore: Restore, line: RuleLine) -> Location:
    """Where a rule stands in the scenario; the step where its rules come from another file."""
    turn = [each for each in rule_lines(restore.text) if each.text == line.text].index(line)
    written = Path(step.location.path).read_text().splitlines()
    places = [
        number
        for number, text in enumerate(written, start=1)
        if number >= step.location.line and text.strip() == line.text
    ]
    if turn >= len(places):
        return step.location
    return Location(step.location.path, places[turn], 1)


def _with_action(scenario: Scenario, step: Step, action: Run | Restore) -> Scenario:
    changed = replace(step, action=action)
    return replace(
        scenario,
        steps=tuple(changed if each.number == step.number else each for each in scenario.steps),
    )
