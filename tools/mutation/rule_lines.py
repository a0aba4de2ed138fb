"""The lines of a rule set in the form of iptables-save(8) that can be taken out one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tools.mutation.marking import why_unneeded

# A command such as -A, behind its counters; a policy that refuses; a chain of the user's own.
_RULE: Final = re.compile(r"\s*((\[\d+:\d+\]\s+)?-\S.*|:\S+\s+(DROP|-)(\s.*)?)")


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A line that does something: its number from 0, its text, why it is marked as unneeded.

    The marking is a comment in the line above, since iptables-restore knows none behind a rule.
    """

    number: int
    text: str
    unneeded: str = ""


def rule_lines(ruleset: str) -> Iterator[RuleLine]:
    """Find the rules, the policies other than ACCEPT and the chains that a rule set sets."""
    above = ""
    for number, line in enumerate(ruleset.split("\n")):
        if _RULE.fullmatch(line):
            yield RuleLine(number, line.strip(), why_unneeded(above.strip()))
        above = line


def without_line(ruleset: str, line: RuleLine) -> str:
    """The rule set with an empty comment in a line's place."""
    lines = ruleset.split("\n")
    lines[line.number] = "#"
    return "\n".join(lines)


def idle_markings(ruleset: str) -> list[str]:
    """The markings in a rule set that stand above no such line."""
    above = {line.number - 1 for line in rule_lines(ruleset)}
    return [
        line.strip()
        for number, line in enumerate(ruleset.split("\n"))
        if why_unneeded(line.strip()) and number not in above
    ]
