"""Altering each expected value in turn: does the run turn red?

What a step sees does not depend on what it expects, so that one run can judge many alterations:
each expectation, altered, stands beside the one as written, and has to fail. Three things need
runs of their own: the outcome, by which a step waits; a step that changes the lab, since its
failure ends the run; and one that tries again for as long as it fails. Whatever is not killed so is
run once more, by itself and in the place of the value as written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lab.model.errors import Location
from lab.model.expectation import Expectation, OutcomeIs
from lab.model.scenario import Scenario, Step
from tools.mutation.alteration import Alteration, alterations
from tools.mutation.baseline import Baseline, Tell
from tools.mutation.case import Case, Kind, Result, Verdict, describe
from tools.mutation.trials import Record, Trial, at_first_failure, run_trials
from tools.mutation.unnamed import Unnamed


@dataclass(frozen=True, slots=True)
class ValueMutant:
    """A step's expectation, known by its place among them, with one value altered."""

    case: Case
    step: Step
    index: int
    alteration: Alteration
    number: int

    @property
    def key(self) -> tuple[int, int]:
        """What tells it from every other mutant."""
        return id(self.case), self.number

    @property
    def tag(self) -> Location:
        """The place by which a mismatch tells that it is about this alteration."""
        return Location(f"alteration {self.number}")

    @property
    def is_outcome(self) -> bool:
        """Whether it is an outcome that is altered."""
        return isinstance(self.alteration.expectation, OutcomeIs)

    def alone(self) -> Trial:
        """The run with nothing but this value altered."""
        altered = _with([self], self.case.scenario, in_place=True)
        return Trial(altered, self.case.backend, at_first_failure, patient=True)

    def end(self, verdict: Verdict, noticed_by: str) -> None:
        """Note what became of it."""
        written, to = self.step.expect[self.index], self.alteration
        what = f"{to.field}: {to.before} altered to {to.after}"
        self.case.results.append(Result(Kind.VALUES, written.location, what, verdict, noticed_by))


@dataclass(frozen=True, slots=True)
class Group:
    """Mutants of one case that can be judged in one run."""

    mutants: tuple[ValueMutant, ...]

    def trial(self) -> Trial:
        """The run, which ends behind the last step that has an alteration."""
        case = self.mutants[0].case
        last = self.mutants[-1].step.number
        scenario = _with(self.mutants, case.scenario, in_place=self.mutants[0].is_outcome)
        return Trial(scenario, case.backend, lambda _, step: step.step == last)


def value_mutants(baselines: Sequence[Baseline]) -> list[ValueMutant]:
    """Every expected value of every case, each altered once, or in each of a few ways."""
    mutants: list[ValueMutant] = []
    for baseline in baselines:
        unnamed = Unnamed(baseline.case.scenario)
        mutants += (
            ValueMutant(baseline.case, step, index, alteration, number)
            for number, (step, index, alteration) in enumerate(_all(baseline.case, unnamed))
        )
    return mutants


def groups(mutants: Sequence[ValueMutant]) -> list[Group]:
    """Share the mutants of a case out to as few runs as can judge them."""
    runs: dict[tuple[int, int, str], list[ValueMutant]] = {}
    for mutant in mutants:
        runs.setdefault(_run_of(mutant), []).append(mutant)
    return [Group(tuple(members)) for members in runs.values()]


def judge_values(mutants: Sequence[ValueMutant], jobs: int, tell: Tell) -> None:
    """Run the mutants together, and each that was not killed so by itself."""
    together = groups(mutants)
    records = run_trials([group.trial() for group in together], jobs, tell)
    killed: dict[tuple[int, int], str] = {}
    for group, record in zip(together, records, strict=True):
        killed |= _killed(group, record)
    doubtful = [mutant for mutant in mutants if mutant.key not in killed]
    records = run_trials([mutant.alone() for mutant in doubtful], jobs)
    for mutant, record in zip(doubtful, records, strict=True):
        failed = next(record.failures(), None)
        if failed is not None:
            killed[mutant.key] = describe(failed)
    for mutant in mutants:
        verdict = Verdict.KILLED if mutant.key in killed else Verdict.SURVIVED
        mutant.end(verdict, killed.get(mutant.key, ""))


def _all(case: Case, unnamed: Unnamed) -> Iterator[tuple[Step, int, Alteration]]:
    for step in case.steps:
        for index, expectation in enumerate(step.expect):
            for alteration in alterations(expectation, unnamed):
                yield step, index, alteration


def _run_of(mutant: ValueMutant) -> tuple[int, int, str]:
    """What the mutants of one run have in common."""
    step = mutant.step
    by_itself = step.changes or step.retry > 0
    return (
        id(mutant.case),
        step.number if by_itself else 0,
        mutant.alteration.field if mutant.is_outcome else "",
    )


def _with(mutants: Sequence[ValueMutant], scenario: Scenario, *, in_place: bool) -> Scenario:
    """The scenario with altered values, in the place of those as written or beside them."""
    steps = []
    for step in scenario.steps:
        expect = list(step.expect)
        for mutant in mutants:
            if mutant.step.number == step.number:
                altered = _tagged(mutant)
                if in_place:
                    expect[mutant.index] = altered
                else:
                    expect.append(altered)
        steps.append(replace(step, expect=tuple(expect)))
    return replace(scenario, steps=tuple(steps))


def _tagged(mutant: ValueMutant) -> Expectation:
    return replace(mutant.alteration.expectation, location=mutant.tag)


def _killed(group: Group, record: Record) -> dict[tuple[int, int], str]:
    """The mutants by whose alterations a step failed, and by nothing but the group's."""
    tags = {str(mutant.tag) for mutant in group.mutants}
    killed = {}
    for mutant in group.mutants:
        step = record.steps.get(mutant.step.number)
        told = {mismatch.location for mismatch in step.mismatches} if step else set()
        if step is not None and not step.reason and str(mutant.tag) in told <= tags:
            killed[mutant.key] = describe(step, mutant.tag)
    return killed
