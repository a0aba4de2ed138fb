"""The `lab run` command as a process of its own, what it said, and what it left behind."""

from __future__ import annotations

import json
import os
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
    def events(self) -> list[Event]:
        """Every line of standard output, each of which must be an event."""
        return [from_json(line) for line in self.stdout.splitlines()]

    @property
    def sums(self) -> str:
        """The last line that a person reads."""
        report = self.stderr if self.stdout.startswith('{"event"') else self.stdout
        return report.splitlines()[-1]


class Command:
    """A running command; it carries a mark by which its labs' processes are known."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        home: Path,
        prefix: Sequence[str] = (),
    ) -> None:
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "lab", "run", *arguments],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "LC_ALL": "C.UTF-8",
                "PYTHONPATH": str(CHECKOUT),
                leftovers.MARK: self.mark,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._read: list[str] = []

    def until_step(self, lab: int, step: int) -> None:
        """Read events until a step begins."""
        for event in self._events():
            if isinstance(event, StepStarted) and (event.lab, event.step) == (lab, step):
                return
        raise AssertionError(f"step {step} of lab {lab} never began: {self.end()}")

    def end(self) -> Ran:
        """Wait for its end; what it wrote, that which was read before included."""
        try:
            stdout, stderr = self.process.communicate(timeout=DEADLINE)
        finally:
            self.process.kill()
        return Ran(self.process.returncode, "".join(self._read) + stdout, stderr)

    def descendant(self, *names: str) -> int:
        """The process found by going from child to child by their names."""
        pid = self.process.pid
        for name in names:
            (pid,) = (child for child in _children(pid) if _name(child) == name)
        return pid

    def left(self) -> frozenset[int]:
        """The processes that carry its mark."""
        return leftovers.marked(self.mark)

    def _events(self) -> Iterator[Event]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._read.append(line)
            if json.loads(line):
                yield from_json(line)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
