"""What can go wrong before, around and inside a run, each kind with the exit code it ends in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What the `lab` command's exit code says."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    MISSING = 3
    BROKEN = 4
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a user's file; line and column count from 1, 0 means "the file as a whole"."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.path
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in what the user wrote: where, what, and what was probably meant."""

    location: Location
    message: str
    hint: str = ""

    def __str__(self) -> str:
        lines = [f"{self.location}: {self.message}"]
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)


class LabError(Exception):
    """The root of everything that `lab` reports in its own words instead of a traceback."""

    exit_code: ExitCode = ExitCode.BROKEN


class BadInput(LabError):
    """The user's files or arguments are wrong; carries every mistake found, in file order."""

    exit_code = ExitCode.BAD_INPUT

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes: tuple[Mistake, ...] = tuple(
            sorted(mistakes, key=lambda mistake: mistake.location)
        )
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class Missing(LabError):
    """The machine lacks something: which, why it is needed, and the command that gets it."""

    exit_code = ExitCode.MISSING

    def __init__(self, what: str, why: str, command: str = "") -> None:
        self.what = what
        self.why = why
        self.command = command
        text = f"{what}: {why}"
        if command:
            text += f"\n    get it with: {command}"
        super().__init__(text)


class Broken(LabError):
    """The run itself broke: a lab process died, the kernel refused the plan, a deadline passed."""

    exit_code = ExitCode.BROKEN
