"""A process of a lab that dies: the run says so, and goes on with the other labs."""

from __future__ import annotations

import os
import signal

import pytest

from lab.model.events import ScenarioFinished
from tests.run.conftest import Start, Write

LONG = """
- {on: a, run: "true"}
- {on: a, run: "sleep 60", timeout: 90s}
"""
MIDDLE = ("lab-sandbox",)
INIT = (*MIDDLE, "lab-init")
RUNNER = (*INIT, "lab-runner")


@pytest.mark.parametrize("victim", [MIDDLE, INIT, RUNNER], ids=lambda names: names[-1])
def test_a_lab_whose_process_is_killed_breaks_the_run(
    start: Start, write: Write, victim: tuple[str, ...]
) -> None:
    command = start(write(LONG), "--json", "-")
    command.until_step(1, 2)
    os.kill(command.descendant(*victim), signal.SIGKILL)
    ran = command.end()
    assert (ran.code, command.left()) == (4, frozenset())
    (end,) = (event for event in ran.events if isinstance(event, ScenarioFinished))
    assert end.broken == "a process of the lab was ended by SIGKILL"
    assert "the lab broke: a process of the lab was ended by SIGKILL" in ran.stderr
    assert ran.sums == "1 passed, 0 failed, 0 skipped"


def test_the_other_labs_go_on(start: Start, write: Write) -> None:
    write(LONG, "first")
    write('- {on: a, run: "true"}\n', "second")
    command = start(".", "-j", "1", "--json", "-")
    command.until_step(1, 2)
    os.kill(command.descendant(*RUNNER), signal.SIGKILL)
    ran = command.end()
    assert ran.code == 4
    ends = [event for event in ran.events if isinstance(event, ScenarioFinished)]
    assert [(end.scenario, bool(end.broken)) for end in ends] == [
        ("first", True),
        ("second", False),
    ]


def test_a_nodes_own_process_that_is_killed_fails_its_step_alone(
    start: Start, write: Write
) -> None:
    command = start(write('- {on: a, run: "kill -9 $$"}\n'), "--json", "-")
    ran = command.end()
    assert (ran.code, ran.sums) == (1, "0 passed, 1 failed, 0 skipped")
