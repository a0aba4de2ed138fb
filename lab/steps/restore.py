"""``restore``: a whole rule set at once, by iptables-restore."""

from __future__ import annotations

import re

from lab.model.scenario import Restore, Step
from lab.steps import command
from lab.steps.deadline import Deadline
from lab.steps.failure import StepFailed, last_words
from lab.steps.stage import Stage

_LINE = re.compile(r"\bline:? (\d+)")
_CHAIN = re.compile(r"Chain '(.+)' does not exist")


def restore(step: Step, action: Restore, stage: Stage, deadline: Deadline) -> None:
    """Restore the text in the step's node; StepFailed in the tool's own words."""
    tool = "ip6tables-restore" if action.family == "ipv6" else "iptables-restore"
    argv = [tool, "--noflush"] if action.noflush else [tool]
    ended = command.run(stage.lab, step.node, argv, deadline, stdin=action.text.encode())
    stage.tell_command(step, step.node, " ".join(argv), ended.code, ended.stdout, ended.stderr)
    if ended.timed_out:
        raise StepFailed(f"{step.node}: {tool} still running at the deadline, killed")
    if ended.code:
        raise StepFailed(_explain(step.node, tool, action.text, last_words(ended.stderr)))


def _explain(node: str, tool: str, text: str, words: str) -> str:
    number = _failing_line(text.splitlines(), words)
    rule = f"\nline {number}: {text.splitlines()[number - 1]}" if number else ""
    return f"{node}: {tool}: {words}{rule}"


def _failing_line(lines: list[str], words: str) -> int:
    """The number of the line that the tool complains of, 0 if it names none.

    The nft backend misses a chain only at COMMIT, and names that line instead of the rule.
    """
    chain = _CHAIN.search(words)
    for number, line in enumerate(lines, 1):
        if chain is not None and re.search(f" -[jg] {re.escape(chain[1])}$", line.rstrip()):
            return number
    named = _LINE.search(words)
    number = int(named[1]) if named else 0
    return number if number <= len(lines) else 0
