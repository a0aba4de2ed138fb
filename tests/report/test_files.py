"""Output files that the user named."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lab.model.errors import BadInput, Broken
from lab.report.files import check_writable, replace_file


def test_a_new_file_can_be_written(tmp_path: Path) -> None:
    check_writable(str(tmp_path / "report.xml"), "--junit")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_told_before_the_run(tmp_path: Path) -> None:
    path = tmp_path / "none" / "report.xml"
    with pytest.raises(BadInput) as caught:
        check_writable(str(path), "--junit")
    assert str(caught.value) == (
        f"{path}: cannot write --junit FILE: there is no folder {path.parent}"
    )


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot write --junit FILE: is a folder"):
        check_writable(str(tmp_path), "--junit")


def test_a_folder_that_takes_no_files_is_told_before_the_run() -> None:
    # Not even root may make a file there.
    with pytest.raises(BadInput, match="cannot write --junit FILE: permission denied"):
        check_writable("/proc/sys/report.xml", "--junit")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    path.write_bytes(b"the run before")
    with path.open("rb") as reader:
        replace_file(str(path), b"this run")
        assert reader.read() == b"the run before"
    assert path.read_bytes() == b"this run"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.xml", tmp_path / "link.xml"
    link.symlink_to(target)
    replace_file(str(link), b"this run")
    assert link.is_symlink()
    assert target.read_bytes() == b"this run"


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE) as reader:
        replace_file(str(fifo), b"this run")
        output, _ = reader.communicate()
    assert output == b"this run"
    assert fifo.is_fifo()


def test_a_full_disk_is_told() -> None:
    with pytest.raises(Broken, match="cannot write /dev/full: No space left on device"):
        replace_file("/dev/full", b"this run")


def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    folder = tmp_path / "report.xml"
    (folder / "inside").mkdir(parents=True)
    with pytest.raises(Broken, match=r"cannot write .*report\.xml"):
        replace_file(str(folder), b"this run")
    assert list(tmp_path.iterdir()) == [folder]
