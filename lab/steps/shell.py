"""``run``: shell lines in a node; the first that fails fails the step, told by file and line."""

from __future__ import annotations

import os
import re

from lab.model.expectation import ExitCodeIs
from lab.model.scenario import Run, Step
from lab.observe.seen import Seen
from lab.sandbox.lab import Lab
from lab.steps import command
from lab.steps.background import Background
from lab.steps.command import Ended
from lab.steps.deadline import Deadline
from lab.steps.failure import StepFailed
from lab.steps.stage import Stage

# On one line, so that bash counts the script's own lines from 1.
_PRELUDE = "set -eEo pipefail; trap 'echo $LINENO >&$LAB_REPORT' ERR; "
_BASH_LINE = re.compile(r"^bash: (?:-c: )?line (\d+): ", re.MULTILINE)


def run(step: Step, action: Run, stage: Stage, deadline: Deadline) -> Seen:
    """Run the lines in the step's node; StepFailed if one fails and no exit code is expected."""
    if step.background is not None:
        _start(step, step.background, action, stage, deadline)
        return Seen()
    ended, failing_line = run_script(stage.lab, step.node, action.script, deadline)
    stage.tell_command(
        step, step.node, action.script.rstrip(), ended.code, ended.stdout, ended.stderr
    )
    if ended.timed_out:
        raise StepFailed(
            f"{step.node}: still running at the deadline of {step.timeout:g} s, killed:"
            f" {_last_line(action.script)}"
        )
    expects_exit = any(isinstance(each, ExitCodeIs) for each in step.expect)
    if ended.code and not expects_exit:
        raise StepFailed(_explain(step, action, ended, failing_line))
    return Seen(exit=ended.code, stdout=ended.stdout)


def _start(step: Step, name: str, action: Run, stage: Stage, deadline: Deadline) -> None:
    argv = ["bash", "-eo", "pipefail", "-c", action.script]
    background = Background(stage.lab, step.node, name, argv, step.number)
    stage.backgrounds[name] = background
    if step.ready is not None:
        background.await_ready(step.ready, deadline)


def run_script(lab: Lab, node: str, script: str, deadline: Deadline) -> tuple[Ended, int | None]:
    """Run lines in a node: how they ended, and which line (from 1) failed where bash tells."""
    reader, writer = os.pipe()
    try:
        ended = command.run(
            lab,
            node,
            ["bash", "-c", _PRELUDE + script],
            deadline,
            pass_fds=(writer,),
            extra_environment={"LAB_REPORT": str(writer)},
        )
    finally:
        os.close(writer)
    os.set_blocking(reader, False)
    with os.fdopen(reader, "rb", buffering=0) as report:
        # a process left behind may hold the other end, so there may be no end of file
        lines = (report.read(4096) or b"").split()
    return ended, int(lines[0]) if lines else _syntax_error_line(ended)


def _syntax_error_line(ended: Ended) -> int | None:
    found = _BASH_LINE.search(ended.stderr)
    return int(found[1]) if found else None


def _explain(step: Step, action: Run, ended: Ended, failing_line: int | None) -> str:
    """Where it failed, which line, and the tool's own words."""
    how = f"killed by signal {-ended.code}" if ended.code < 0 else f"exit code {ended.code}"
    words = ended.stderr.strip() or ended.stdout.strip()
    lines = action.script.splitlines()
    if failing_line is None or not 0 < failing_line <= len(lines):
        return f"{step.node}: {how}\n{words}".rstrip()
    where = f"{step.location.path}:{action.line + failing_line - 1}"
    return f"{where}: {lines[failing_line - 1].strip()}\n{how}: {words}".rstrip(": \n")


def _last_line(script: str) -> str:
    lines = [line.strip() for line in script.splitlines() if line.strip()]
    return lines[0] if len(lines) == 1 else f"{len(lines)} lines"
