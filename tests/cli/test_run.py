"""How a run ends: exit code, last line, and files that are valid whatever happens."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

SUMS = "2 passed, 1 failed, 2 skipped"

# A run whose labs tell a prepared story. What happens in the middle, and how it ends, is a test's.
PROGRAM = """
import select, signal, sys
from lab.cli.ending import end
from lab.cli.run import run_and_report
from lab.model.errors import BadInput, Broken, ExitCode, Location, Missing, Mistake
from lab.model.events import StepStarted
from lab.report.outputs import Request
from lab.run.request import RunRequest
from tests.report.runs import whole_run

def scenarios(request, emit):
    {before}
    for event in whole_run():
        emit(event)
        if isinstance(event, StepStarted) and event.step == 2:
            {during}
    return ExitCode.FAILED

request = RunRequest(("port-forward",), None, None, None, False, False)
end(lambda: run_and_report(request, Request({reports}), scenarios))
"""

# Waits in a run until nobody reads its standard output any more.
READER_GONE = "poll = select.poll(); poll.register(1, 0); poll.poll(20_000)"

# Shows the first line alone; the exit code is the program's.
INTO_HEAD = '"$0" "$@" | head -1; exit ${PIPESTATUS[0]}'

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start a run in a process, reporting to run.xml and run.jsonl as well."""
    started: list[subprocess.Popen[str]] = []

    def run(
        before: str = "pass", during: str = "pass", json: str = "run.jsonl", shell: str = ""
    ) -> subprocess.Popen[str]:
        reports = f"junit='run.xml', json={json!r}"
        program = PROGRAM.format(before=before, during=during, reports=reports)
        command = [sys.executable, "-c", program]
        if shell:
            command = ["bash", "-c", shell, *command]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with process:
            process.kill()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a process that ends by itself."""
    stdout, stderr = process.communicate(timeout=30)
    return process.returncode, stdout, stderr


def reported(folder: Path) -> tuple[int, list[str]]:
    """How many test cases JUnit has, and the events that JSON has; both must be valid."""
    root = ElementTree.parse(folder / "run.xml").getroot()
    lines = (folder / "run.jsonl").read_text("utf-8").splitlines()
    return len(list(root.iter("testcase"))), [json.loads(line)["event"] for line in lines]


def test_the_exit_code_is_that_of_the_run(start: Start, tmp_path: Path) -> None:
    code, stdout, stderr = ended(start())
    assert (code, stderr) == (1, "")
    assert stdout.splitlines()[-1] == SUMS
    cases, events = reported(tmp_path)
    assert cases == 5
    assert events[-1] == "run-finished"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_in_good_order(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process = start(during="print('waiting', file=sys.stderr, flush=True); sys.stdin.read()")
    assert process.stderr is not None
    assert process.stderr.readline() == "waiting\n"
    process.send_signal(number)
    code, stdout, stderr = ended(process)
    assert (code, stderr) == (130, "")
    assert stdout.splitlines()[-2:] == ["interrupted", "1 passed, 0 failed, 0 skipped"]
    assert reported(tmp_path) == (
        2,
        [
            "run-started",
            "scenario-started",
            "lab-up",
            "step-started",
            "command-ran",
            "command-ran",
            "step-finished",
            "step-started",
            "run-finished",
        ],
    )


def test_what_nohup_ignores_stays_ignored(start: Start) -> None:
    process = start(
        during="signal.raise_signal(signal.SIGHUP)", shell='trap "" HUP; exec "$0" "$@"'
    )
    code, stdout, _ = ended(process)
    assert code == 1
    assert stdout.splitlines()[-1] == SUMS


def test_a_report_that_nobody_reads_ends_the_run(start: Start, tmp_path: Path) -> None:
    process = start(during=READER_GONE, shell=INTO_HEAD)
    code, stdout, stderr = ended(process)
    assert stdout.startswith("port-forward  [iptables nft]")
    assert stderr == ""
    assert code == 130
    assert reported(tmp_path)[1][-1] == "run-finished"


def test_json_that_nobody_reads_ends_the_run(start: Start, tmp_path: Path) -> None:
    process = start(during=READER_GONE, json="-", shell=INTO_HEAD)
    code, stdout, stderr = ended(process)
    assert json.loads(stdout)["event"] == "run-started"
    assert code == 130
    assert "Traceback" not in stderr
    assert stderr.splitlines()[-1].endswith("skipped")
    ElementTree.parse(tmp_path / "run.xml")


def test_a_full_disk_is_told_without_a_traceback(start: Start) -> None:
    code, _, stderr = ended(start(shell='exec "$0" "$@" > /dev/full'))
    assert code == 4
    assert stderr == "cannot write the report: No space left on device\n"


def test_a_mistake_in_a_scenario_is_told_and_nothing_else(start: Start, tmp_path: Path) -> None:
    mistake = "raise BadInput([Mistake(Location('x.lab.yaml', 3, 7), 'wrong', 'did you mean y?')])"
    assert ended(start(before=mistake)) == (
        2,
        "",
        "x.lab.yaml:3:7: wrong\n    did you mean y?\n",
    )
    assert reported(tmp_path) == (0, [])


def test_what_the_machine_lacks_is_told_with_its_cure(start: Start) -> None:
    missing = "raise Missing('iptables', 'the labs need it', 'sudo apt install iptables')"
    assert ended(start(before=missing)) == (
        3,
        "",
        "iptables: the labs need it\n    get it with: sudo apt install iptables\n",
    )


def test_a_run_that_breaks_tells_why_and_the_sums_so_far(start: Start, tmp_path: Path) -> None:
    code, stdout, stderr = ended(start(during="raise Broken('the runner died')"))
    assert (code, stderr) == (4, "the runner died\n")
    assert stdout.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"
    assert reported(tmp_path)[1][-1] == "run-finished"


def test_our_own_fault_is_one_line_and_a_log(start: Start, tmp_path: Path) -> None:
    code, stdout, stderr = ended(start(during="[][1]"))
    assert code == 4
    assert stdout.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"
    (log,) = (tmp_path / "home" / ".local" / "state" / "natlab").iterdir()
    assert stderr == (
        "internal error, a fault of natlab's own (IndexError: list index out of range); "
        f"the log is {log}\n"
    )
    assert "Traceback (most recent call last)" in log.read_text("utf-8")


def test_a_report_that_cannot_be_written_is_told_before_anything_runs(start: Start) -> None:
    code, stdout, stderr = ended(start(json="none/run.jsonl"))
    assert (code, stdout) == (2, "")
    assert stderr == "none/run.jsonl: cannot write --json FILE: No such file or directory\n"


def test_a_closed_standard_output_is_nowhere(environment: dict[str, str], tmp_path: Path) -> None:
    """``>&-`` leaves a hole that a report's file must not fill."""
    ran = subprocess.run(
        ["bash", "-c", f"exec {sys.executable} -m lab ls >&-"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
