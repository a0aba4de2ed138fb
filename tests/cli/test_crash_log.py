"""Where the log of an internal error goes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from lab.cli.crash_log import state_folder, write_crash_log
from lab.cli.ending import internal_error


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return home


def test_logs_are_kept_with_the_state_of_programs(home: Path) -> None:
    assert state_folder() == home / ".local" / "state" / "natlab"


def test_the_folder_for_state_can_be_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/var/tmp/state")
    assert state_folder() == Path("/var/tmp/state/natlab")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_folder() == home / ".local" / "state" / "natlab"


def test_a_log_tells_the_traceback_and_is_for_its_owner_alone(home: Path) -> None:
    log = Path(write_crash_log(ValueError("wrong")))
    assert log.parent == state_folder()
    assert log.read_text("utf-8").rstrip().endswith("ValueError: wrong")
    assert log.stat().st_mode & 0o777 == 0o600


def test_without_a_home_the_log_is_a_temporary_file(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (home / ".local").write_text("no folder")
    assert Path(write_crash_log(ValueError("wrong"))).parent == tmp_path


def test_where_no_log_can_be_written_that_is_said(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    (home / ".local").write_text("no folder")
    assert "; no log could be written: " in internal_error(ValueError("several\nlines"))
