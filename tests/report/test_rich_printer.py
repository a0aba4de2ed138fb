"""The report on a real terminal: its width, and progress on what takes over a second."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

CHECKOUT = Path(__file__).parents[2]

# Shows a run, and stops in the middle of a step until a line is typed.
PROGRAM = """
import sys
from lab.model.events import StepStarted
from lab.report.printers import printer_for
from lab.report.terminal import Terminal
from tests.report.runs import FOLDER, whole_run

terminal = Terminal(printer_for(sys.stdout), cwd=FOLDER)
for event in whole_run():
    terminal.event(event)
    if isinstance(event, StepStarted) and event.step == 2:
        sys.stdin.readline()
terminal.close()
"""

Start = Callable[..., pexpect.spawn]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the program on a terminal of 20 lines."""
    children: list[pexpect.spawn] = []

    def spawn(columns: int = 80, **environment: str) -> pexpect.spawn:
        child = pexpect.spawn(
            sys.executable,
            ["-c", PROGRAM],
            cwd=str(CHECKOUT),
            dimensions=(20, columns),
            encoding="utf-8",
            echo=False,
            timeout=20,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(CHECKOUT),
                "TERM": "xterm-256color",
                "LC_ALL": "C.UTF-8",
                **environment,
            },
        )
        children.append(child)
        return child

    yield spawn
    for child in children:
        child.close(force=True)


def test_a_step_that_takes_over_a_second_shows_progress(start: Start) -> None:
    child = start()
    child.expect(r"⠋|⠙|⠹|⠸|⠼|⠴|⠦|⠧|⠇|⠏")
    child.expect_exact("port-forward[nft]: the client reaches server 1 through port 80  1 s")
    child.sendline()
    child.expect_exact("2 skipped")
    child.expect(pexpect.EOF)
    assert "⠋" not in child.before


def test_a_step_that_is_quick_shows_none(start: Start) -> None:
    child = start()
    child.sendline()
    child.expect(pexpect.EOF)
    assert "port-forward[nft]:" not in child.before
    assert "\x1b[?25l" not in child.before


def test_progress_in_the_c_locale_is_ascii(start: Start) -> None:
    child = start(LC_ALL="C")
    child.expect(r"[|/\\-] port-forward\[nft\]: ")
    child.sendline()
    child.expect(pexpect.EOF)
    assert child.before.isascii()


def test_a_dumb_terminal_shows_no_progress_and_no_colour(start: Start) -> None:
    child = start(TERM="dumb")
    child.expect_exact("the router forwards ports 80 and 81")
    with pytest.raises(pexpect.TIMEOUT):
        child.expect_exact("port-forward[nft]: ", timeout=1.5)
    child.sendline()
    child.expect(pexpect.EOF)
    assert "\x1b" not in child.before


@pytest.mark.parametrize("columns", [30, 80, 120])
def test_lines_fit_the_terminal(start: Start, columns: int) -> None:
    child = start(columns)
    child.sendline()
    child.expect(pexpect.EOF)
    text = re.sub(r"\x1b\[[\d;]*m", "", child.before)
    assert max(map(len, text.splitlines())) <= columns
