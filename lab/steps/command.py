"""A command in a node, run to its end or its deadline, its output kept within bounds."""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from lab.sandbox.lab import Lab
from lab.steps.deadline import Deadline

# What a command prints beyond this, in bytes, is read, so that it does not block, and dropped.
_MOST_OUTPUT = 1 << 20
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code (negative for a signal) and what it printed.

    ``timed_out`` is set where it was killed at the deadline.
    """

    code: int
    stdout: str
    stderr: str
    timed_out: bool = False


def run(
    lab: Lab,
    node: str,
    command: Sequence[str],
    deadline: Deadline,
    *,
    stdin: bytes = b"",
    pass_fds: Sequence[int] = (),
    extra_environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a command in a node; at the deadline it and its process group are killed.

    Its end is the end of the process, not of its pipes: what it left behind may hold them open.
    """
    process = lab.spawn(
        node,
        command,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        pass_fds=pass_fds,
        extra_environment=dict(extra_environment or {}),
    )
    with _Conversation(process, stdin) as conversation:
        in_time = conversation.until_exit(deadline)
        if not in_time:
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        stdout, stderr = conversation.outputs()
    return Ended(code, stdout, stderr, timed_out=not in_time)


@dataclass(slots=True)
class _Kept:
    """The beginning of an output, and how many bytes more there were."""

    octets: bytearray = field(default_factory=bytearray)
    dropped: int = 0

    def add(self, chunk: bytes) -> None:
        """Keep what there is room for."""
        room = _MOST_OUTPUT - len(self.octets)
        self.octets += chunk[:room]
        self.dropped += max(0, len(chunk) - room)

    def __str__(self) -> str:
        text = self.octets.decode(errors="replace")
        return f"{text}\n… and {self.dropped} bytes more\n" if self.dropped else text


class _Conversation:
    """The pipes of a running command: its input fed, its outputs drained, its end awaited."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes) -> None:
        self._pipes = [pipe for pipe in (process.stdin, process.stdout, process.stderr) if pipe]
        self._feed = memoryview(stdin)
        self._exit = os.pidfd_open(process.pid)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._exit, selectors.EVENT_READ)
        self._kept: dict[int, _Kept] = {}
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
            writable = pipe is process.stdin
            if not writable:
                self._kept[pipe.fileno()] = _Kept()
            self._selector.register(
                pipe.fileno(), selectors.EVENT_WRITE if writable else selectors.EVENT_READ, pipe
            )

    def __enter__(self) -> _Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        os.close(self._exit)
        for pipe in self._pipes:
            with suppress(BrokenPipeError):
                pipe.close()

    def until_exit(self, deadline: Deadline) -> bool:
        """Keep the pipes moving until the command ends; False at the deadline."""
        while not deadline.passed:
            for key, _ in self._selector.select(deadline.left):
                if key.fd == self._exit:
                    return True
                if key.fd in self._kept:
                    self._take(key.fd)
                else:
                    self._write(key.data)
        return False

    def outputs(self) -> tuple[str, str]:
        """What came on standard output and standard error, up to now."""
        for descriptor in self._kept:
            # no more than this: what was left behind may go on writing for ever
            left = _bytes_in(descriptor)
            while left > 0:
                left -= self._take(descriptor)
        stdout, stderr = map(str, self._kept.values())
        return stdout, stderr

    def _take(self, descriptor: int) -> int:
        """Read a piece of what is there; how many bytes."""
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            self._selector.unregister(descriptor)
        self._kept[descriptor].add(chunk)
        return len(chunk)

    def _write(self, pipe: IO[bytes]) -> None:
        try:
            self._feed = self._feed[os.write(pipe.fileno(), self._feed) :]
        except BrokenPipeError:
            self._feed = self._feed[:0]
        if not self._feed:
            self._selector.unregister(pipe.fileno())
            self._pipes.remove(pipe)
            pipe.close()


def _bytes_in(pipe: int) -> int:
    """How much a pipe holds (FIONREAD of pipe(7))."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
