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
from lab.steps.failure import StepFailed, how_it_ended, last_words
from lab.steps.stage import Stage

# On one line, so that bash counts the script's own lines from 1. What fails without ending the
# script is no failure: under set +e, and the first of two commands in a substitution.
_PRELUDE = (
    "set -eEo pipefail; "
    "trap '[[ $- != *e* ]] || echo $BASH_SUBSHELL $LINENO >&$LAB_REPORT || :' ERR; "
)
_BASH_LINE = re.compile(r"bash: (?:-c: )?line (\d+): ")
# a failing command, an error of syntax, a program that is no program, one that is not there
_CODES_OF_BASH = (1, 2, 126, 127)
# what a pipe holds
_REPORT_BYTES = 1 << 16
_FAILURE = re.compile(rb"^(\d{1,9}) (\d{1,9})$", re.MULTILINE)
_CLOSING = re.compile(r"[)}]|(?:done|fi|esac)\b")


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
            f" {_what_hangs(action.script)}"
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
    # a script with more failures than a pipe has room for must not wait for a reader
    os.set_blocking(writer, False)
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
        told = report.read(_REPORT_BYTES) or b""
    failures = [(int(depth), int(line)) for depth, line in _FAILURE.findall(told)]
    return ended, _failing_line(script.splitlines(), failures) or _line_in_words(ended)


def _failing_line(script: list[str], failures: list[tuple[int, int]]) -> int | None:
    """The line at which bash itself ended the script.

    Of each failure the trap has told the depth of subshells and the line. The script ends where
    the outermost shell fails; where that is the closing bracket of a subshell, the failure within
    says more.
    """
    if not failures or failures[-1][0]:
        return None
    line = failures[-1][1]
    if 0 < line <= len(script) and _CLOSING.match(script[line - 1].strip()):
        return failures[-2][1] if len(failures) > 1 and failures[-2][0] else line
    return line


def _line_in_words(ended: Ended) -> int | None:
    """The line of a failure that no trap sees, such as an error of syntax, in bash's last words."""
    lines = ended.stderr.strip().splitlines()
    found = _BASH_LINE.match(lines[-1]) if lines and ended.code in _CODES_OF_BASH else None
    return int(found[1]) if found else None


def _explain(step: Step, action: Run, ended: Ended, failing_line: int | None) -> str:
    """Where it failed, which command, and the tool's own words."""
    how = how_it_ended(ended.code)
    words = last_words(ended.stderr) or last_words(ended.stdout)
    lines = action.script.splitlines()
    if failing_line is None or not 0 < failing_line <= len(lines):
        return f"{step.node}: {how}\n{words}".rstrip()
    first, text = _command_at(lines, failing_line)
    where = f"{step.location.path}:{action.line + first - 1}"
    return f"{where}: {text}\n{how}: {words}".rstrip(": \n")


def _command_at(lines: list[str], number: int) -> tuple[int, str]:
    """The command that a line is part of, backslashes at line ends undone, and its first line."""
    first = last = number
    while first > 1 and lines[first - 2].endswith("\\"):
        first -= 1
    while last < len(lines) and lines[last - 1].endswith("\\"):
        last += 1
    parts = [line.removesuffix("\\").strip() for line in lines[first - 1 : last]]
    return first, " ".join(part for part in parts if part)


def _what_hangs(script: str) -> str:
    """The command; of several nobody knows which."""
    lines = [line.strip() for line in script.splitlines() if line.strip()]
    return lines[0] if len(lines) == 1 else f"{len(lines)} lines"
