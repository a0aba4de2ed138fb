"""Altered values, shared out to few runs that judge them as runs of their own would."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.model.events import Status, StepFinished
from lab.model.expectation import OutcomeIs
from lab.model.scenario import Backend
from tests.mutation.scenarios import PAIR, read
from tools.mutation.baseline import Baseline
from tools.mutation.case import Case, Verdict
from tools.mutation.trials import Record, run_trials
from tools.mutation.values import ValueMutant, groups, judge_values, value_mutants

SCENARIO = (
    PAIR
    + """\
  - on: server
    serve: {tcp: 80}
  - on: server
    run: |
      iptables -A INPUT -p tcp --dport 81 -j REJECT --reject-with icmp-admin-prohibited
      echo abc
    expect: {stdout: a, rules: {table: filter, chain: INPUT, rule: 1, packets: 0, count: 1}}
  - connect: {from: client, to: "10.0.0.2:80"}
    expect: {server: {node: server, source: 10.0.0.1}, source_port: kept}
  - connect: {from: client, to: "10.0.0.2:81"}
    expect:
      outcome: unreachable
      icmp: admin-prohibited
      rules: {on: server, table: filter, chain: INPUT, rule: 1, hits: ">=0"}
  - on: server
    check:
      sockets: ["tcp 0.0.0.0:80"]
      policies: {filter/INPUT: ACCEPT}
    wait: 200ms
"""
)


@pytest.fixture
def mutants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[ValueMutant]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    case = Case(read(tmp_path, SCENARIO), Backend.NFT)
    return value_mutants([Baseline(case, {})])


def finished(step: int) -> StepFinished:
    return StepFinished(
        lab=0, step=step, name="", verb="", status=Status.PASSED, seconds=0.0, location=""
    )


def test_steps_that_observe_share_a_run_but_for_their_outcomes(mutants: list[ValueMutant]) -> None:
    shared = [
        (
            {mutant.step.number for mutant in group.mutants},
            {each.is_outcome for each in group.mutants},
        )
        for group in groups(mutants)
    ]
    assert shared == [
        ({2}, {False}),
        ({3, 4}, {True}),
        ({3, 4}, {False}),
        ({4}, {True}),
        ({5}, {False}),
    ]


def test_what_is_expected_stays_beside_what_is_altered(mutants: list[ValueMutant]) -> None:
    group = groups(mutants)[2]
    altered = group.trial().scenario.steps[2].expect
    written = mutants[0].case.scenario.steps[2].expect
    assert altered[: len(written)] == written
    assert len(altered) > len(written)


def test_an_altered_outcome_takes_the_place_of_what_is_expected(
    mutants: list[ValueMutant],
) -> None:
    outcomes, written = groups(mutants)[1].trial().scenario, mutants[0].case.scenario
    for step in (2, 3):
        assert len(outcomes.steps[step].expect) == len(written.steps[step].expect)
        (outcome,) = (each for each in outcomes.steps[step].expect if isinstance(each, OutcomeIs))
        assert outcome not in written.steps[step].expect


def test_a_run_ends_behind_its_last_altered_step(mutants: list[ValueMutant]) -> None:
    for group in groups(mutants):
        decides = group.trial().decides
        last = max(mutant.step.number for mutant in group.mutants)
        assert [step for step in range(1, 6) if decides(Record(), finished(step))] == [last]


def test_together_they_are_judged_as_each_by_itself(mutants: list[ValueMutant]) -> None:
    judge_values(mutants, jobs=2, tell=lambda: None)
    together = [result.verdict is Verdict.KILLED for result in mutants[0].case.results]
    alone = run_trials([mutant.alone() for mutant in mutants], jobs=2)
    assert together == [any(record.failures()) for record in alone]
    survivors = [
        mutant.alteration.field
        for mutant, killed in zip(mutants, together, strict=True)
        if not killed
    ]
    assert survivors == ["text.contains", "hits"]
