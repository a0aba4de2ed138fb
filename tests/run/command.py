"""The `lab run` command as a process of its own, what it said, and what it left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
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
        self._mark = uuid.uuid4().hex
        self._read: list[str] = []
        # a file, so that reading standard output alone can keep nobody waiting
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- open as long as the process
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "lab", "run", *arguments],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "LC_ALL": "C.UTF-8",
                "PYTHONPATH": str(CHECKOUT),
                leftovers.MARK: self._mark,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            preexec_fn=_heed_signals,
        )

    def events(self) -> Iterator[Event]:
        """The events of ``--json -``, as they come."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._read.append(line)
            yield from_json(line)

    def until_step(self, lab: int, step: int) -> None:
        """Read events until a step begins."""
        for event in self.events():
            if isinstance(event, StepStarted) and (event.lab, event.step) == (lab, step):
                return
        raise AssertionError(f"step {step} of lab {lab} never began: {self.end()}")

    def end(self) -> Ran:
        """Wait for its end; what it wrote, that which was read before included."""
        assert self.process.stdout is not None
        alarm = threading.Timer(DEADLINE, self.process.kill)
        alarm.start()
        self._read += self.process.stdout
        self.process.wait()
        alarm.cancel()
        self._stderr.seek(0)
        return Ran(self.process.returncode, "".join(self._read), self._stderr.read())

    def close(self) -> None:
        """Kill it, if it still runs."""
        with self.process, self._stderr:
            self.process.kill()

    def descendant(self, *names: str) -> int:
        """The process found by going from child to child by their names."""
        pid = self.process.pid
        for name in names:
            (pid,) = (child for child in _children(pid) if _name(child) == name)
        return pid

    def left(self) -> frozenset[int]:
        """The processes that carry its mark."""
        return leftovers.marked(self._mark)


def _heed_signals() -> None:
    """Undo what nohup or a shell's & has the tests, and with them the command, ignore."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
