"""``background``: a process that keeps running beside the steps, and when it counts as up."""

from __future__ import annotations

import os
import re
import select
import signal
import tempfile

from lab.kernel.listeners import listeners
from lab.model.scenario import Ready
from lab.sandbox.lab import Lab
from lab.steps import command
from lab.steps.deadline import Deadline
from lab.steps.failure import StepFailed, how_it_ended, last_words

_MOST_OUTPUT = 1 << 20
# how often a condition that nothing announces is looked at again
_INTERVAL = 0.005


class Background:
    """A background process and its output so far."""

    def __init__(self, lab: Lab, node: str, name: str, argv: list[str], step: int) -> None:
        self.node = node
        self.name = name
        self.step = step
        self._lab = lab
        # a file, not a pipe: nobody reads while the process writes
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 -- open as long as the process
        self._process = lab.spawn(node, argv, stdout=self._output, stderr=self._output)

    @property
    def output(self) -> str:
        """What it has printed so far, at most 1 MiB of it."""
        return os.pread(self._output.fileno(), _MOST_OUTPUT, 0).decode(errors="replace")

    def await_ready(self, ready: Ready, deadline: Deadline) -> None:
        """Wait until the condition holds; StepFailed at the deadline or if the process ends."""
        while not self._is_ready(ready, deadline):
            if self._process.poll() is not None and not self._is_ready(ready, deadline):
                raise StepFailed(self._ended())
            if deadline.passed:
                raise StepFailed(
                    f"{self.node}: background process {self.name} was not ready"
                    f" before the deadline: {_describe(ready)}"
                )
            select.select([], [], [], _INTERVAL)

    def death(self) -> str:
        """How it failed, if it has; empty while it runs, and when it ended well or was asked to."""
        code = self._process.poll()
        if code in (None, 0, -signal.SIGTERM, 128 + signal.SIGTERM):
            return ""
        return self._ended()

    def close(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        self._output.close()

    def _ended(self) -> str:
        how = how_it_ended(self._process.returncode)
        who = f"{self.node}: background process {self.name} of step {self.step} has ended"
        return f"{who}, {how}: {last_words(self.output)}".rstrip(": ")

    def _is_ready(self, ready: Ready, deadline: Deadline) -> bool:
        if ready.stdout is not None:
            return re.search(ready.stdout, self.output, re.MULTILINE) is not None
        if ready.listening is not None:
            proto, port = ready.listening
            with self._lab.network_of(self.node):
                found = listeners()
            return any(each.proto == proto and each.address.port == port for each in found)
        if ready.command is not None:
            argv = ["bash", "-c", ready.command]
            return command.run(self._lab, self.node, argv, deadline).code == 0
        return True


def _describe(ready: Ready) -> str:
    if ready.stdout is not None:
        return f"its output does not match {ready.stdout!r}"
    if ready.listening is not None:
        return f"nothing listens on {ready.listening[0]}/{ready.listening[1]}"
    return f"this does not succeed: {ready.command}"
