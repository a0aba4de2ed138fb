"""From the command to the runner: four processes, one pipe, one exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.model.errors import ExitCode
from tests.modes.invoker import Invoker
from tests.sandbox.conftest import StartLab
from tests.sandbox.labs import RunningLab


def names_from(process: int) -> list[str]:
    """The names of a process and its first children, down to the last."""
    folder = Path(f"/proc/{process}")
    name = (folder / "comm").read_text().strip()
    children = (folder / f"task/{process}/children").read_text().split()
    return [name, *(names_from(int(children[0])) if children else ())]


def test_the_processes_of_a_lab_are_named(start_lab: StartLab) -> None:
    lab = start_lab()
    assert names_from(lab.process.pid)[1:] == ["lab-sandbox", "lab-init", "lab-runner"]


def test_what_the_kernel_refuses_ends_the_runner_with_its_code(start_lab: StartLab) -> None:
    lab = start_lab("refused")
    assert lab.first == {
        "event": "refused",
        "text": "a: cannot add route 10.9.0.0/16 via 10.0.0.2: File exists",
    }
    assert lab.end() == ExitCode.BROKEN


def test_a_fault_of_the_runner_is_told_with_its_traceback(invoker: Invoker) -> None:
    with pytest.raises(AssertionError, match=r"(?s)Traceback .*_serve.*KeyError: 'no such'"):
        RunningLab(invoker, "no such")


def test_the_runner_holds_nothing_of_the_command(start_lab: StartLab, invoker: Invoker) -> None:
    """Besides its three streams, its event pipe, and what it opened itself."""
    with Path("/etc/passwd").open() as inherited:
        lab = start_lab()
    held = lab.output(None, "ls -l /proc/$PPID/fd").splitlines()
    assert not [line for line in held if inherited.name in line]


def test_a_lab_is_its_own_session(lab: RunningLab) -> None:
    """So that the terminal's Ctrl-C reaches the command alone."""
    session = lab.output(None, "ps -o sid= -p $PPID").strip()
    assert session == "0"


def test_signals_mean_what_they_mean_to_any_program(lab: RunningLab) -> None:
    ignored = "grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status"
    masks = dict(line.split(":\t") for line in lab.output("a", ignored).splitlines())
    # a shell's Popen restores SIGPIPE and SIGXFSZ, that Python itself ignores
    assert int(masks["SigBlk"], 16) == 0
    assert int(masks["SigIgn"], 16) == 0


def test_the_lab_goes_first_when_memory_runs_out(lab: RunningLab) -> None:
    assert lab.output("a", "cat /proc/self/oom_score_adj") == "1000"


def test_ten_labs_stand_at_once(start_lab: StartLab) -> None:
    labs = [start_lab() for _ in range(10)]
    for lab in labs:
        lab.output("a", "ping -c 1 -W 5 10.0.0.2")
