"""A run that is interrupted, or whose reader has gone: in order, and with nothing left."""

from __future__ import annotations

import signal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lab.model.events import RunFinished
from tests.run.conftest import Start, Write

LONG = """
- {name: quick, on: a, run: "true"}
- {name: long, on: a, run: "sleep 60 & setsid sleep 61", timeout: 90s}
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_in_good_order(
    start: Start, write: Write, tmp_path: Path, number: signal.Signals
) -> None:
    write(LONG, "first")
    write(LONG, "second")
    command = start(".", "-j", "2", "--json", "-", "--junit", "run.xml")
    command.until_step(2, 2)
    command.process.send_signal(number)
    ran = command.end()
    assert (ran.code, command.left()) == (130, frozenset())
    last = ran.events[-1]
    assert isinstance(last, RunFinished)
    assert (last.interrupted, last.failed, last.skipped) == (True, 0, 0)
    assert 1 <= last.passed <= 2
    assert ran.stderr.splitlines()[-2:] == [
        "interrupted",
        f"{last.passed} passed, 0 failed, 0 skipped",
    ]
    cases = ElementTree.parse(tmp_path / "run.xml").iter("testcase")
    assert "quick" in " ".join(case.get("name", "") for case in cases)


def test_a_reader_that_goes_ends_the_run(start: Start, write: Write) -> None:
    piped = ("bash", "-c", '"$@" | head -1; exit ${PIPESTATUS[0]}', "-")
    command = start(write(LONG), "-v", prefix=piped)
    ran = command.end()
    assert ran.code == 130
    assert len(ran.stdout.splitlines()) == 1
    assert ran.stderr == ""
    assert command.left() == frozenset()
