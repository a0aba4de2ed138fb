"""Cases and results: what is examined, and what became of each of its mutants."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lab.model.errors import Location
from lab.model.events import Mismatch, StepFinished
from lab.model.scenario import Backend, Scenario, Step
from lab.run.runner import Variant


class Verdict(StrEnum):
    """What became of a mutant.

    A deleted command is noticed by ``traffic`` in another step; failing that by an ``exit code``
    or by what a ``listing`` shows; else it survived, and is ``unneeded`` where it is marked so. An
    altered value is ``killed`` or survived.
    """

    TRAFFIC = "traffic"
    EXIT_CODE = "exit code"
    LISTING = "listing"
    UNNEEDED = "unneeded"
    KILLED = "killed"
    SURVIVED = "survived"


class Kind(StrEnum):
    """What was mutated."""

    COMMANDS = "commands"
    VALUES = "values"


@dataclass(frozen=True, slots=True)
class Result:
    """A mutant's end: what was changed and where, the verdict, and what noticed it.

    ``unneeded`` is the reason of a command's marking.
    """

    kind: Kind
    location: Location
    what: str
    verdict: Verdict
    noticed_by: str = ""
    unneeded: str = ""


@dataclass(slots=True)
class Case:
    """A scenario with one backend, and what is found out about it.

    ``skipped`` is why this machine cannot run it, ``fault`` why its mutants say nothing.
    """

    scenario: Scenario
    backend: Backend
    skipped: str = ""
    fault: str = ""
    results: list[Result] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether mutants of it are worth running."""
        return not self.skipped and not self.fault

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that take part with this backend."""
        variant = Variant(0, self.scenario, self.backend)
        return tuple(step for step in self.scenario.steps if variant.includes(step))


_LONGEST: Final = 160


def describe(step: StepFinished, of: Location | None = None) -> str:
    """Say in one line how a step failed, or how its expectation at one place did."""
    told = [each for each in step.mismatches if of is None or each.location == str(of)]
    words = "; ".join(map(_mismatch, told)) or " ".join(step.reason.split())
    shown = words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
    return f"step {step.step} ({step.name}): {shown}"


def _mismatch(mismatch: Mismatch) -> str:
    return f"{mismatch.field}: expected {mismatch.expected}, observed {mismatch.observed}"
