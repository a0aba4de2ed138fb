"""The stream of a run's events: who reads it, and in which order a person wants to see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from lab.model.events import Event, RunFinished, ScenarioFinished, ScenarioSkipped


class Reader(Protocol):
    """Something that turns a run's events into an output."""

    def event(self, event: Event) -> None:
        """Take the next event; OSError where the output can no longer be written."""

    def close(self) -> None:
        """Write what is still held back, also where the run ended early."""


class FanOut:
    """Hands every event to several readers.

    A reader that raises is left out from then on; the others still get that event and all later
    ones, so that one output's end does not cost the others theirs.
    """

    def __init__(self, readers: Iterable[Reader]) -> None:
        self._readers = list(readers)

    def event(self, event: Event) -> None:
        """Hand on an event; raises the first error after every reader had its turn."""
        errors: list[Exception] = []
        for reader in tuple(self._readers):
            try:
                reader.event(event)
            except Exception as error:  # noqa: BLE001
                self._readers.remove(reader)
                errors.append(error)
        if errors:
            raise errors[0]

    def close(self) -> None:
        """Close every reader; raises the first error after all are closed."""
        errors: list[Exception] = []
        for reader in self._readers:
            try:
                reader.close()
            except Exception as error:  # noqa: BLE001
                errors.append(error)
        self._readers.clear()
        if errors:
            raise errors[0]


class InOrder:
    """Puts the events of labs that run side by side into the order of the labs.

    Labs are numbered from 1 without gaps. Events of the first lab that has not ended pass at
    once; those of later labs are kept until their turn comes, at the latest until the run ends.
    """

    def __init__(self) -> None:
        self._turn = 1
        self._kept: dict[int, list[Event]] = {}

    def take(self, event: Event) -> tuple[Event, ...]:
        """Take the next event, and give those that may be shown now, in their order."""
        if isinstance(event, RunFinished):
            return (*self.rest(), event)
        lab = getattr(event, "lab", self._turn)
        if lab > self._turn:
            self._kept.setdefault(lab, []).append(event)
            return ()
        shown: list[Event] = [event]
        ended = lab == self._turn and _ends_lab(event)
        while ended:
            self._turn += 1
            following = self._kept.pop(self._turn, [])
            shown += following
            ended = any(_ends_lab(later) for later in following)
        return tuple(shown)

    def rest(self) -> tuple[Event, ...]:
        """Give all that is still kept, lab by lab."""
        rest = tuple(event for lab in sorted(self._kept) for event in self._kept[lab])
        self._kept.clear()
        return rest


def _ends_lab(event: Event) -> bool:
    return isinstance(event, ScenarioFinished | ScenarioSkipped)
