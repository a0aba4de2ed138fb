"""Killing a process of a run, and watching what is left of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random

from tests.modes import leftovers
from tests.modes.invoker import Invoker

SCENARIO = Path(__file__).with_name("killed.lab.yaml")
LIMIT = 1.0  # seconds in which everything is gone, unless the machine is busy with other things
PATIENCE = 30.0  # seconds after which what is there will stay
# Seconds from a victim's birth until its run is in its last step, and some more.
_LONGEST_AGE = 0.1
_LONGEST_AGE_OF_COMMAND = 0.4
_BIRTH = 60.0  # seconds that a victim may take to be born, on a machine that is very busy
_POLL = 0.001


class Victim(StrEnum):
    """Which process of a run is killed."""

    COMMAND = "the command"
    MIDDLE = "the middle process"
    INIT = "PID 1"
    RUNNER = "the runner"

    def moment(self, random: Random) -> float:
        """An age to be killed at, in seconds: before, while or after the lab is built."""
        longest = _LONGEST_AGE_OF_COMMAND if self is Victim.COMMAND else _LONGEST_AGE
        return random.uniform(0, longest)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """How long it took until nothing was left, in seconds, or what was left of all patience."""

    seconds: float
    left: tuple[str, ...]


def kill(invoker: Invoker, victim: Victim, age: float) -> Aftermath:
    """Start a run, kill its victim with SIGKILL ``age`` seconds after that was born, and watch."""
    mark = uuid.uuid4().hex
    command = invoker.start(
        invoker.python("-m", "lab", "run", str(SCENARIO)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        environment={leftovers.MARK: mark},
    )
    try:
        pid = _await(victim, command)
        time.sleep(age)
        with leftovers.namespaces(leftovers.marked(mark), besides=command.pid) as namespaces:
            assert command.poll() is None, f"the run ended with exit code {command.returncode}"
            os.kill(pid, signal.SIGKILL)
            return _watch(mark, namespaces)
    finally:
        command.kill()
        command.wait()


def _watch(mark: str, namespaces: frozenset[str]) -> Aftermath:
    begin = time.monotonic()
    while True:
        left = tuple(_left(mark, namespaces))
        seconds = time.monotonic() - begin
        if not left or seconds > PATIENCE:
            return Aftermath(seconds, left)
        time.sleep(_POLL)


def _left(mark: str, namespaces: frozenset[str]) -> Iterator[str]:
    for pid in leftovers.marked(mark) | leftovers.holders(namespaces).keys():
        with contextlib.suppress(OSError):
            yield f"process {pid} {Path(f'/proc/{pid}/comm').read_text().strip()}"
    yield from leftovers.bound(namespaces)


def _await(victim: Victim, command: subprocess.Popen[str]) -> int:
    end = time.monotonic() + _BIRTH
    while (pid := _find(victim, command.pid)) is None:
        assert command.poll() is None, f"the run ended with exit code {command.returncode}"
        assert time.monotonic() < end, f"{victim} was never born"
        time.sleep(_POLL)
    return pid


def _find(victim: Victim, command: int) -> int | None:
    match victim:
        case Victim.COMMAND:
            return command
        case Victim.MIDDLE:
            return _child(command, "lab-sandbox")
        case Victim.INIT:
            middle = _child(command, "lab-sandbox")
            return None if middle is None else _child(middle, "lab-init")
        case Victim.RUNNER:
            init = _find(Victim.INIT, command)
            return None if init is None else _child(init, "lab-runner")


def _child(parent: int, name: str) -> int | None:
    """The child of that name, if it has been born."""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for child in children:
            if Path(f"/proc/{child}/comm").read_text().strip() == name:
                return int(child)
    return None
