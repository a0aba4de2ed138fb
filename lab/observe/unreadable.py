"""The error for output of a kernel or a tool that does not read as its format says."""

from __future__ import annotations

from lab.model.errors import Broken


class Unreadable(Broken):
    """A line that is not what it should be.

    ``what`` names the format, ``number`` is the line's number from 1, ``line`` its text and
    ``why`` what is wrong with it.
    """

    def __init__(self, what: str, number: int, line: str, why: str) -> None:
        self.what = what
        self.number = number
        self.line = line
        self.why = why
        super().__init__(f"{what}, line {number}: {why}: {line!r}")
