"""Trials: scenarios run many at a time, each for as long as it takes to decide it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Final

from lab.model.events import (
    Event,
    Flow,
    Observation,
    ScenarioFinished,
    ScenarioSkipped,
    Status,
    StepFinished,
)
from lab.model.scenario import Backend, Scenario
from lab.run.labs import run_labs
from lab.run.launcher import Launcher
from lab.run.runner import Variant
from lab.sandbox.launch import Launched
from lab.steps.stage import DEFAULT_PATIENCE, Patience

# The kernel answers at once, and the test server within milliseconds; what has not come after
# this time is not waited for in trial after trial.
_IMPATIENCE: Final = Patience(answer=0.3)


@dataclass(slots=True)
class Record:
    """What a trial showed so far.

    ``steps`` are those that ended, by number; ``sent`` the numbers of those that sent a flow;
    ``counted`` the rules that each step reported. ``broken`` and ``skipped`` say why there is no
    more than that.
    """

    steps: dict[int, StepFinished] = field(default_factory=dict)
    sent: set[int] = field(default_factory=set)
    counted: dict[int, list[str]] = field(default_factory=dict)
    broken: str = ""
    skipped: str = ""
    decided: bool = False

    def failures(self) -> Iterator[StepFinished]:
        """The steps that failed, in their order."""
        return (step for step in self.steps.values() if step.status is Status.FAILED)


Decision = Callable[[Record, StepFinished], bool]


@dataclass(frozen=True, slots=True)
class Trial:
    """A scenario to be run with a backend, until ``decides`` says that a step has decided it.

    ``patient`` trials wait for answers as long as `lab run` does.
    """

    scenario: Scenario
    backend: Backend
    decides: Decision
    patient: bool = False


def at_first_failure(record: Record, step: StepFinished) -> bool:
    """What decides most trials: a step that failed."""
    return step.status is Status.FAILED


def run_trials(
    trials: Sequence[Trial], jobs: int, tell: Callable[[], None] = lambda: None
) -> list[Record]:
    """Run trials, at most ``jobs`` at a time, and call ``tell`` at the end of each.

    Returns their records, in the trials' order. Raises Missing for what the machine lacks.
    """
    laboratory = _Laboratory(trials)
    variants = [
        Variant(number, trial.scenario, trial.backend) for number, trial in enumerate(trials)
    ]
    records = [Record() for _ in trials]
    with closing(run_labs(variants, jobs, laboratory.start)) as events:
        for event in events:
            number = getattr(event, "lab", None)
            if number is None:
                continue
            record = records[number]
            _note(record, event)
            if isinstance(event, ScenarioFinished | ScenarioSkipped):
                tell()
            elif isinstance(event, StepFinished) and not record.decided:
                record.decided = trials[number].decides(record, event)
                if record.decided:
                    laboratory.end(number)
    return records


def _note(record: Record, event: Event) -> None:
    if record.decided:
        return
    match event:
        case StepFinished():
            record.steps[event.step] = event
        case Flow():
            record.sent.add(event.step)
        case Observation(kind="rule"):
            record.counted.setdefault(event.step, []).append(event.text)
        case ScenarioFinished():
            record.broken = event.broken
        case ScenarioSkipped():
            record.skipped = event.reason
        case _:
            pass


class _Laboratory:
    """Starts the trials' labs, and ends those that are decided."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        self._launcher = Launcher(
            (trial.scenario for trial in trials), (trial.backend for trial in trials)
        )
        self._trials = trials
        self._running: dict[int, int] = {}

    def start(self, variant: Variant) -> Launched:
        """Start a lab that runs a variant."""
        patience = DEFAULT_PATIENCE if self._trials[variant.number].patient else _IMPATIENCE
        launched = self._launcher.start(variant, patience=patience)
        self._running[variant.number] = launched.pid
        return launched

    def end(self, number: int) -> None:
        """End a lab that runs: all that is in it hangs on its middle process."""
        with suppress(ProcessLookupError):
            os.kill(self._running[number], signal.SIGKILL)
