"""The sums of a run: kept along the way, so that a run cut short has them too."""

from __future__ import annotations

import time

from lab.model.errors import ExitCode
from lab.model.events import (
    Event,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioSkipped,
    Status,
    StepFinished,
)


class Tally:
    """Counts what passed, failed and was skipped, and holds the run's last event once it came."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(Status, 0)
        self._broken = 0
        self._started: float | None = None
        self._last: RunFinished | None = None

    @property
    def begun(self) -> bool:
        """Whether the run has told anything at all."""
        return self._started is not None

    @property
    def failed(self) -> bool:
        """Whether any step has failed so far."""
        return self._counts[Status.FAILED] > 0

    @property
    def exit_code(self) -> ExitCode:
        """What the run ends in."""
        if self._broken:
            return ExitCode.BROKEN
        return ExitCode.FAILED if self.failed else ExitCode.OK

    def event(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, RunStarted):
            self._started = time.monotonic()
        elif isinstance(event, StepFinished):
            self._counts[event.status] += 1
        elif isinstance(event, ScenarioSkipped):
            self._counts[Status.SKIPPED] += 1
        elif isinstance(event, ScenarioFinished):
            self._broken += bool(event.broken)
        elif isinstance(event, RunFinished):
            self._last = event

    def last(self, *, interrupted: bool, broken: bool) -> RunFinished:
        """The run's last event: its own, or the one that a run cut short could not send."""
        if self._last is not None:
            return self._last
        return RunFinished(
            passed=self._counts[Status.PASSED],
            failed=self._counts[Status.FAILED],
            skipped=self._counts[Status.SKIPPED],
            seconds=0.0 if self._started is None else time.monotonic() - self._started,
            interrupted=interrupted,
            broken=max(self._broken, int(broken)),
        )
