"""From the command to the runner: four processes, one pipe, one exit code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.model.errors import Broken, ExitCode
from lab.model.scenario import Backend
from lab.sandbox import launch
from lab.sandbox.fence import choose
from lab.sandbox.root import RootPlan
from lab.sandbox.toolbox import Toolbox, find_backend
from tests.modes.invoker import Invoker
from tests.sandbox.conftest import StartLab
from tests.sandbox.labs import RunningLab, children


def test_the_processes_of_a_lab_are_named(start_lab: StartLab) -> None:
    process, names = start_lab().process.pid, []
    while below := children(process):
        (process,) = below
        names.append(Path(f"/proc/{process}/comm").read_text().strip())
    assert names == ["lab-sandbox", "lab-init", "lab-runner"]


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


def test_a_lab_whose_first_process_dies_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_middle", lambda *_: os._exit(1))
    backend = Toolbox(Backend.NFT, find_backend(Backend.NFT))
    with pytest.raises(Broken, match="the lab's first process died while the lab was being start"):
        launch.launch(choose(), RootPlan(backend), lambda events: 0)


def test_a_lab_holds_no_file_of_its_command(start_lab: StartLab) -> None:
    lab = start_lab(after="exec 9</etc/passwd")
    assert "/etc/passwd" in os.readlink(f"/proc/{lab.process.pid}/fd/9")
    assert "/etc/passwd" not in lab.output(None, "ls -l /proc/$PPID/fd /proc/1/fd")


def test_a_lab_is_a_session_of_its_own(lab: RunningLab) -> None:
    """So that the terminal's Ctrl-C reaches the command alone."""
    (middle,) = children(lab.process.pid)
    (init,) = children(middle)
    assert [os.getsid(process) for process in (middle, init, *children(init))] == [middle] * 3


def test_a_signal_that_the_command_ignores_means_the_usual_in_a_lab(start_lab: StartLab) -> None:
    lab = start_lab(after="trap '' HUP INT TERM")
    for node in ("a", None):
        masks = lab.output(node, "grep -E '^Sig(Blk|Ign):' /proc/self/status")
        assert [int(line.split()[1], 16) for line in masks.splitlines()] == [0, 0]


def test_the_lab_goes_first_when_memory_runs_out(lab: RunningLab) -> None:
    assert lab.output("a", "cat /proc/self/oom_score_adj") == "1000"


def test_several_labs_stand_at_once(start_lab: StartLab) -> None:
    labs = [start_lab() for _ in range(4)]
    for lab in labs:
        lab.output("a", "ping -c 1 -W 5 10.0.0.2")
