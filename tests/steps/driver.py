"""A command that runs scenarios as standard input asks for them, and tells their events.

Started by tests.steps.playing. Requests and answers are JSON lines.
"""

from __future__ import annotations

import json
import os
import traceback
from typing import Any

from lab.model.errors import ExitCode, LabError
from lab.model.events import Event, to_json
from lab.run.command import run_scenarios
from lab.run.request import RunRequest


def main() -> None:
    """Answer request after request."""
    requests = os.fdopen(os.dup(0))
    # a lab must not find the requests on its standard input
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for line in requests:
        _answer(json.loads(line))


def _answer(request: dict[str, Any]) -> None:
    complaint = ""
    try:
        code = run_scenarios(_request(**request), _tell)
    except LabError as error:
        code, complaint = error.exit_code, str(error)
    except Exception:  # noqa: BLE001 -- told to the test that asked
        code, complaint = ExitCode.BROKEN, traceback.format_exc()
    print(json.dumps({"code": code, "complaint": complaint}), flush=True)


def _request(
    scenarios: list[str],
    iptables: str | None = None,
    select: str | None = None,
    jobs: int | None = None,
    fail_fast: bool = False,
) -> RunRequest:
    return RunRequest(tuple(scenarios), iptables, select, jobs, fail_fast, False)


def _tell(event: Event) -> None:
    print(to_json(event), flush=True)


if __name__ == "__main__":
    main()
