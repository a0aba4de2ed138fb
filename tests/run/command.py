"""The `lab run` command as a process of its own, what it said, and what it left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.model.events import Event, StepStarted, from_json
from tests.modes import leftovers
from tests.steps.playing import CHECKOUT

DEADLINE = 60.0  # seconds: far more than anything here takes, even on a busy machine


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it wrote; ``events`` are those of ``--json -``."""

    code: int
    stdout: str
    stderr: str

    @property


def _heed_signals() -> None:
    """Undo what nohup or a shell's & has the tests, and with them the command, ignore."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
