"""``restore``: a whole rule set at once, by iptables-restore."""

from __future__ import annotations

import re

from lab.model.scenario import Restore, Step
from lab.steps import command
from lab.steps.deadline import Deadline
from lab.steps.failure import StepFailed, last_words
from lab.steps.stage import Stage

_FAILED_LINE = re.compile(r"line (\d+) failed|Error occurred at line: (\d+)")


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
    found = _FAILED_LINE.search(words)
    lines = text.splitlines()
    number = int(found[1] or found[2]) if found else 0
    rule = f"\nline {number}: {lines[number - 1]}" if 0 < number <= len(lines) else ""
    return f"{node}: {tool}: {words}{rule}"
