"""A run with CI=true tells modes that no test ran in, whatever else it did."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.modes.place import CHECKOUT

CONFTEST = """
import pytest

@pytest.fixture(params=["root", "subuid", "single"])
def invoker(request):
    return request.param
"""
SKIPS_SINGLE = """
import pytest

def test_one(invoker):
    if invoker == "single":
        pytest.skip("not here")

def test_another():
    pass
"""
RUNS_IN_ALL = "def test_one(invoker):\n    pass\n"
FAILS_IN_ALL = "def test_one(invoker):\n    assert not invoker\n"
TOLD = "FAILED: CI=true, and no test ran in mode "


def pytest_run(folder: Path, test: str, ci: str, *arguments: str) -> tuple[int, str]:
    """Run pytest on one test file; the exit code, and the line that tells of modes."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_modes.py").write_text(test)
    ours = {key: os.environ[key] for key in os.environ if not key.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.modes.ran", *arguments, str(folder)],
        cwd=folder,
        env={**ours, "PYTHONPATH": str(CHECKOUT), "CI": ci},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(TOLD)]
    return done.returncode, "\n".join(lines)


WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])


@WORKERS
def test_a_mode_whose_tests_were_all_skipped_fails_the_run(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    assert pytest_run(tmp_path, SKIPS_SINGLE, "true", *workers) == (1, f"{TOLD}single")


@WORKERS
def test_a_run_in_all_modes_passes(tmp_path: Path, workers: tuple[str, ...]) -> None:
    assert pytest_run(tmp_path, RUNS_IN_ALL, "true", *workers) == (0, "")


def test_a_run_without_any_mode_names_them_all(tmp_path: Path) -> None:
    told = pytest_run(tmp_path, SKIPS_SINGLE, "true", "-k", "another")
    assert told == (1, f"{TOLD}root, subuid, single")


def test_a_test_that_fails_has_run(tmp_path: Path) -> None:
    assert pytest_run(tmp_path, FAILS_IN_ALL, "true") == (1, "")


@pytest.mark.parametrize("ci", ["", "false"])
def test_elsewhere_a_skipped_mode_is_no_failure(tmp_path: Path, ci: str) -> None:
    assert pytest_run(tmp_path, SKIPS_SINGLE, ci) == (0, "")
