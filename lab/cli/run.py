"""`lab run`: scenarios in, reports and an exit code out."""

from __future__ import annotations

import sys
from collections.abc import Callable

from lab.cli.ending import end_undisturbed, internal_error
from lab.model.errors import ExitCode, LabError
from lab.model.events import Event
from lab.report.outputs import OutputClosed, Outputs, Request, open_outputs
from lab.run.request import RunRequest

RunScenarios = Callable[[RunRequest, Callable[[Event], None]], ExitCode]


def run(request: RunRequest, reports: Request) -> ExitCode:
    """Run scenarios and report them; BadInput where a report cannot be written."""
    from lab.run.command import run_scenarios

    return run_and_report(request, reports, run_scenarios)


def run_and_report(request: RunRequest, reports: Request, scenarios: RunScenarios) -> ExitCode:
    """Report what ``scenarios`` tells, to the end that it comes to.

    Whatever that end is, JUnit and JSON are valid and the sums are told.
    """
    outputs = open_outputs(reports, sys.stdout, sys.stderr)
    code = _run(request, outputs, scenarios)
    ended = outputs.end(interrupted=code is ExitCode.INTERRUPTED, broken=code is ExitCode.BROKEN)
    return ended or code


def _run(request: RunRequest, outputs: Outputs, scenarios: RunScenarios) -> ExitCode:
    """Run, and tell what cuts the run short."""
    try:
        return scenarios(request, outputs.event)
    except (KeyboardInterrupt, OutputClosed):
        end_undisturbed()
        return ExitCode.INTERRUPTED
    except LabError as error:
        outputs.tell(str(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001
        outputs.tell(internal_error(error))
        return ExitCode.BROKEN
