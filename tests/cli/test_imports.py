"""A command imports what it needs: nobody waits for the rest."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = ("pydantic", "rich", "ruamel", "pyroute2", "mininet", "jinja2", "pexpect", "xml.etree")


def imported(environment: dict[str, str], *command: str) -> set[str]:
    """The slow libraries that a Python command line imports."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    modules = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    return {
        library
        for library in SLOW
        if any(module == library or module.startswith(f"{library}.") for module in modules)
    }


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_no_slow_library(environment: dict[str, str], option: str) -> None:
    assert imported(environment, "-m", "lab", option) == set()


def test_a_run_into_a_pipe_imports_nothing_slow_for_its_report(
    environment: dict[str, str],
) -> None:
    program = """
from lab.cli.run import run_and_report
from lab.model.errors import ExitCode
from lab.model.events import RunFinished, RunStarted
from lab.report.outputs import Request
from lab.run.request import RunRequest

def scenarios(request, emit):
    emit(RunStarted(version="0.1.0", kernel="6.18.5", scenarios=0))
    emit(RunFinished(passed=0, failed=0, skipped=0, seconds=0.1))
    return ExitCode.OK

run_and_report(RunRequest((), None, None, None, False, False), Request(), scenarios)
"""
    assert imported(environment, "-c", program) == set()
