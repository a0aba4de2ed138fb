"""Markings: ``# unneeded: why`` says of a command that no traffic needs it, and why it is there.

In a script the comment stands behind the command, in a rule set in the line above the rule. For
what a topology sets up it stands in the scenario, since another scenario may need the same route:
a line ``# unneeded: NODE: WHAT: why`` of its own, from the first column on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lab.model.errors import Location

_MARKING: Final = re.compile(r"#+\s*unneeded:\s*(\S.*?)\s*")
_OF_SCENARIO: Final = re.compile(r"# unneeded: (\S.*?)\s*")


@dataclass(frozen=True, slots=True)
class Marking:
    """A marking in a scenario's own lines, from what it is about to the reason."""

    text: str
    location: Location

    def why(self, subject: str) -> str:
        """The reason, if this is about ``subject`` (``NODE: WHAT``); else nothing."""
        if not self.text.startswith(f"{subject}: "):
            return ""
        return self.text.removeprefix(f"{subject}: ").strip()


def why_unneeded(comment: str) -> str:
    """The reason that a comment gives, nothing if it is no marking."""
    found = _MARKING.fullmatch(comment)
    return "" if found is None else found[1]


def scenario_markings(lines: Iterable[str], path: str) -> tuple[Marking, ...]:
    """The markings that stand in a scenario file's own lines.

    Nothing that belongs to a script begins in the first column.
    """
    return tuple(
        Marking(found[1], Location(path, number, 1))
        for number, line in enumerate(lines, start=1)
        if (found := _OF_SCENARIO.fullmatch(line.rstrip("\n")))
    )
