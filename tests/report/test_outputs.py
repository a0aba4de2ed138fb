"""All outputs of a run together, however it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree

import pytest

from lab.model.errors import BadInput, Broken, ExitCode
from lab.model.events import from_json
from lab.report.outputs import OutputClosed, Request, open_outputs
from tests.report.runs import lab_events, run_started, whole_run
from tests.report.streams import Log

JsonEvents = Callable[[Path], list[str]]


def json_events(path: Path) -> list[str]:
    return [json.loads(line)["event"] for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def request_all(tmp_path: Path) -> Request:
    return Request(junit=str(tmp_path / "run.xml"), json=str(tmp_path / "run.jsonl"))


@pytest.fixture
def closed_pipe() -> TextIO:
    """A stream whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return TextIOWrapper(os.fdopen(writer, "wb", buffering=0), "utf-8", write_through=True)


def test_a_whole_run_reaches_every_output(request_all: Request, tmp_path: Path, log: Log) -> None:
    outputs = open_outputs(request_all, log, StringIO())
    for event in whole_run():
        outputs.event(event)
    assert outputs.end() is ExitCode.OK
    lines = (tmp_path / "run.jsonl").read_text("utf-8").splitlines()
    assert [from_json(line) for line in lines] == whole_run()
    assert len(ElementTree.parse(tmp_path / "run.xml").getroot()) == 2
    assert log.text.endswith("\n2 passed, 1 failed, 2 skipped\n")


def test_an_interrupted_run_leaves_valid_files_and_the_sums(
    request_all: Request, tmp_path: Path, log: Log
) -> None:
    outputs = open_outputs(request_all, log, StringIO())
    for event in [run_started(), *lab_events()[:8]]:
        outputs.event(event)
    assert outputs.end(interrupted=True) is ExitCode.OK
    assert json_events(tmp_path / "run.jsonl")[-2:] == ["flow", "run-finished"]
    assert ElementTree.parse(tmp_path / "run.xml").find(".//error") is not None
    assert log.text.endswith("\ninterrupted\n1 passed, 0 failed, 0 skipped\n")


def test_a_run_interrupted_before_it_began_has_sums_too(
    request_all: Request, tmp_path: Path, log: Log
) -> None:
    assert open_outputs(request_all, log, StringIO()).end(interrupted=True) is ExitCode.OK
    assert json_events(tmp_path / "run.jsonl") == ["run-finished"]
    assert ElementTree.parse(tmp_path / "run.xml").getroot().tag == "testsuites"
    assert log.text == "interrupted\n0 passed, 0 failed, 0 skipped\n"


def test_where_nothing_ran_there_are_no_sums(log: Log) -> None:
    messages = StringIO()
    outputs = open_outputs(Request(), log, messages)
    outputs.tell("x.lab.yaml:1:1: \x1b wrong")
    assert outputs.end() is ExitCode.OK
    assert log.text == ""
    assert messages.getvalue() == "x.lab.yaml:1:1: ^[ wrong\n"


def test_a_pipe_that_lost_its_reader_ends_the_run_and_no_other_output(
    request_all: Request, tmp_path: Path, closed_pipe: TextIO
) -> None:
    outputs = open_outputs(request_all, closed_pipe, StringIO())
    outputs.event(run_started())
    with pytest.raises(OutputClosed):
        outputs.event(lab_events()[0])
    assert outputs.end(interrupted=True) is ExitCode.OK
    assert json_events(tmp_path / "run.jsonl") == [
        "run-started",
        "scenario-started",
        "run-finished",
    ]
    assert len(ElementTree.parse(tmp_path / "run.xml").getroot()) == 1


def test_a_pipe_closed_at_the_last_line_is_told_by_the_exit_code(closed_pipe: TextIO) -> None:
    outputs = open_outputs(Request(), closed_pipe, StringIO())
    outputs.event(run_started())
    assert outputs.end() is ExitCode.INTERRUPTED


def test_json_on_standard_output_sends_the_report_to_standard_error(
    capfd: pytest.CaptureFixture[str], log: Log
) -> None:
    with open(1, "w", encoding="ascii", closefd=False) as stdout:
        outputs = open_outputs(Request(json="-"), stdout, log)
        for event in whole_run():
            outputs.event(event)
        outputs.end()
    assert [from_json(line) for line in capfd.readouterr().out.splitlines()] == whole_run()
    assert log.text.endswith("2 passed, 1 failed, 2 skipped\n")


def test_a_full_disk_ends_the_run_and_says_so(tmp_path: Path, log: Log) -> None:
    outputs = open_outputs(Request(json="/dev/full"), log, StringIO())
    with pytest.raises(Broken, match="cannot write the report: No space left on device"):
        outputs.event(run_started())
    assert outputs.end(broken=True) is ExitCode.OK
    assert log.text == "0 passed, 0 failed, 0 skipped\n"


def test_a_junit_file_that_cannot_be_written_is_told_before_the_last_line(log: Log) -> None:
    outputs = open_outputs(Request(junit="/dev/full"), log, log)
    for event in whole_run():
        outputs.event(event)
    assert outputs.end() is ExitCode.BROKEN
    assert log.text.endswith(
        "cannot write /dev/full: No space left on device\n"
        "\n"
        "✗ /home/ada/labs/port-forward.lab.yaml:15:5 "
        "the client reaches server 2 through port 81 [nft]\n"
        "\n"
        "2 passed, 1 failed, 2 skipped\n"
    )


@pytest.mark.parametrize("option", ["junit", "json"])
def test_a_file_in_no_folder_is_told_before_anything_runs(option: str, tmp_path: Path) -> None:
    path = str(tmp_path / "none" / "file")
    request = Request(junit=path) if option == "junit" else Request(json=path)
    with pytest.raises(BadInput, match=f"cannot write --{option} FILE"):
        open_outputs(request, StringIO(), StringIO())
