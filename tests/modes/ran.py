"""Modes that no test ran in: a run with CI=true fails for them, instead of skipping in silence.

A pytest plugin. It goes by the reports, which the controller of pytest-xdist gets from all of
its workers.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from lab.sandbox.fence import Mode

FIXTURE = "invoker"
_PROPERTY = "mode"


def pytest_configure(config: pytest.Config) -> None:
    """Watch the run where its reports come together."""
    elsewhere = hasattr(config, "workerinput") or config.getoption("collectonly")
    if os.environ.get("CI") == "true" and not elsewhere:
        config.pluginmanager.register(_Watch(), "modes-ran")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Have each test's reports tell its mode."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and FIXTURE in callspec.params:
            item.user_properties.append((_PROPERTY, str(callspec.params[FIXTURE])))


class _Watch:
    def __init__(self) -> None:
        self._unseen = set(Mode)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and not report.skipped:
            self._unseen -= {
                Mode(str(value)) for name, value in report.user_properties if name == _PROPERTY
            }

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._unseen and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._unseen:
            names = ", ".join(mode for mode in Mode if mode in self._unseen)
            terminalreporter.write_line(
                f"FAILED: CI=true, and no test ran in mode {names}", red=True, bold=True
            )
