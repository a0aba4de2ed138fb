"""Markings that say nothing any more: nothing is marked, or traffic needs what is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lab.model.errors import Location, Mistake
from lab.model.scenario import Restore, Run, Scenario
from tools.mutation import rule_lines, script_text
from tools.mutation.case import Case, Kind, Result, Verdict
from tools.mutation.marking import scenario_markings
from tools.mutation.topology import reduced


def stale_markings(cases: Sequence[Case]) -> list[Mistake]:
    """Find the markings of examined cases that are of no use, in the order of the cases."""
    found: dict[Mistake, None] = {}
    for scenario in {id(case.scenario): case.scenario for case in cases}.values():
        found.update(dict.fromkeys(_idle(scenario)))
        examined = [case for case in cases if case.scenario is scenario]
        found.update(dict.fromkeys(_needed(scenario, examined)))
    return list(found)


def _idle(scenario: Scenario) -> Iterator[Mistake]:
    """Markings that are about nothing that is there."""
    for comment, location in _idle_comments(scenario):
        yield Mistake(location, f"this marks no command: {comment}")
    subjects = [less.gone for less in reduced(scenario.topology)]
    for marking in scenario_markings(_lines(scenario), scenario.path):
        if not any(marking.why(subject) for subject in subjects):
            yield Mistake(
                marking.location,
                f"this marks nothing of the topology: {marking.text}",
                "write it as NODE: WHAT: why",
            )


def _idle_comments(scenario: Scenario) -> Iterator[tuple[str, Location]]:
    for node in scenario.topology.nodes:
        for command in node.exec:
            for comment in script_text.idle_markings(command.text):
                yield comment, command.location
    for step in scenario.steps:
        comments: list[str] = []
        if isinstance(step.action, Run):
            comments = script_text.idle_markings(step.action.script)
        elif isinstance(step.action, Restore):
            comments = rule_lines.idle_markings(step.action.text)
        for comment in comments:
            yield comment, step.location


def _needed(scenario: Scenario, cases: Sequence[Case]) -> Iterator[Mistake]:
    """Markings of what traffic notices in every variant of the scenario."""
    if {case.backend for case in cases if case.sound} < set(scenario.backends):
        return
    marked: dict[tuple[str, str], list[Result]] = {}
    for result in _marked(cases):
        marked.setdefault((str(result.location), result.what), []).append(result)
    for results in marked.values():
        if all(result.verdict is Verdict.TRAFFIC for result in results):
            yield Mistake(
                results[0].location,
                f"this is marked as unneeded, but traffic needs it: {results[0].what}",
                results[0].noticed_by,
            )


def _marked(cases: Sequence[Case]) -> Iterable[Result]:
    return (
        result
        for case in cases
        for result in case.results
        if result.kind is Kind.COMMANDS and result.unneeded
    )


def _lines(scenario: Scenario) -> list[str]:
    return Path(scenario.path).read_text().splitlines()
