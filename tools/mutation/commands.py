"""Deleting each command in turn: who notices that it is gone?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.model.events import Status, StepFinished
from tools.mutation.baseline import Baseline, Tell
from tools.mutation.case import Case, Kind, Result, Verdict, describe
from tools.mutation.deletion import Deletion, deletions
from tools.mutation.marking import scenario_markings
from tools.mutation.traffic import is_of_traffic, traffic_only
from tools.mutation.trials import Record, Trial, at_first_failure, run_trials

_SENDING = ("connect", "ping")


@dataclass(frozen=True, slots=True)
class CommandMutant:
    """A deletion to be tried in a case."""

    baseline: Baseline
    deletion: Deletion

    @property
    def case(self) -> Case:
        """The case that it is a mutant of."""
        return self.baseline.case

    def by_traffic(self) -> Trial:
        """The trial that shows whether traffic notices."""
        left, step = self.deletion.scenario, self.deletion.step
        reduced = traffic_only(left, step, self.baseline.rules)
        return Trial(reduced, self.case.backend, _is_noticed, self.baseline.patient)

    def as_written(self) -> Trial:
        """The trial that shows what else does."""
        return Trial(self.deletion.scenario, self.case.backend, at_first_failure, patient=True)

    def end(self, verdict: Verdict, noticed_by: str) -> None:
        """Note what became of it."""
        gone = self.deletion
        if verdict is Verdict.SURVIVED and gone.unneeded:
            verdict = Verdict.UNNEEDED
        self.case.results.append(
            Result(Kind.COMMANDS, gone.location, gone.text, verdict, noticed_by, gone.unneeded)
        )


def command_mutants(baselines: Sequence[Baseline]) -> list[CommandMutant]:
    """Every command of every case, each deleted once."""
    mutants = []
    for baseline in baselines:
        case = baseline.case
        lines = Path(case.scenario.path).read_text().splitlines()
        markings = scenario_markings(lines, case.scenario.path)
        mutants += [
            CommandMutant(baseline, deletion)
            for deletion in deletions(case.scenario, case.steps, markings)
        ]
    return mutants


def judge_commands(mutants: Sequence[CommandMutant], jobs: int, tell: Tell) -> None:
    """Run each mutant with an eye on traffic; those that get through, as they are written."""
    trials = [mutant.by_traffic() for mutant in mutants]
    ends = [_by_traffic(record) for record in run_trials(trials, jobs, tell)]
    unnoticed = [index for index, end in enumerate(ends) if end is None]
    trials = [mutants[index].as_written() for index in unnoticed]
    for index, record in zip(unnoticed, run_trials(trials, jobs), strict=True):
        ends[index] = _otherwise(record)
    for mutant, end in zip(mutants, ends, strict=True):
        assert end is not None
        mutant.end(*end)


def _by_traffic(record: Record) -> tuple[Verdict, str] | None:
    noticed = next((step for step in record.failures() if _is_noticed(record, step)), None)
    return None if noticed is None else (Verdict.TRAFFIC, describe(noticed))


def _is_noticed(record: Record, step: StepFinished) -> bool:
    """Whether traffic shows it: a mismatch, or a flow that could not even be sent."""
    if step.status is not Status.FAILED:
        return False
    unsent = step.verb in _SENDING and step.step not in record.sent
    return unsent or any(map(is_of_traffic, step.mismatches))


def _otherwise(record: Record) -> tuple[Verdict, str]:
    failed = next(record.failures(), None)
    if failed is None:
        if record.broken:
            return Verdict.EXIT_CODE, record.broken
        return Verdict.SURVIVED, ""
    if failed.reason or any(mismatch.field == "exit" for mismatch in failed.mismatches):
        return Verdict.EXIT_CODE, describe(failed)
    return Verdict.LISTING, describe(failed)
