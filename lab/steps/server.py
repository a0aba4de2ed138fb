"""``serve``: the SO_ORIGINAL_DST test server in a node, and what it saw."""

from __future__ import annotations

import errno
import json
import os
import select
from ipaddress import ip_address
from typing import Any

from lab.model.address import SocketAddress
from lab.model.scenario import Serve
from lab.observe.seen import ServerView
from lab.sandbox.lab import Lab
from lab.sandbox.toolbox import TEST_SERVER
from lab.steps.deadline import Deadline
from lab.steps.failure import StepFailed, how_it_ended

_CHUNK = 1 << 16


class Server:
    """A running test server; its log tells every connection before the client gets its answer."""

    def __init__(self, lab: Lab, node: str, serve: Serve, step: int, deadline: Deadline) -> None:
        """Start it and wait until it listens; StepFailed with its own words if it can't."""
        self.node = node
        self.step = step
        self.holds = serve.hold
        self._process = lab.spawn(node, _command_line(node, serve))
        assert self._process.stdout is not None
        self._log = self._process.stdout.fileno()
        os.set_blocking(self._log, False)
        self._unread = b""
        self._views: list[tuple[str, ServerView]] = []
        self._ready = False
        self._await_ready(deadline)

    def take_views(self) -> list[tuple[str, ServerView]]:
        """What it has seen since the last call: protocol and tuples, in order."""
        self._read()
        views, self._views = self._views, []
        return views

    def death(self) -> str:
        """How it ended, if it has; empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        return f"{self.node}: the test server of step {self.step} has ended, {how_it_ended(code)}"

    def close(self) -> None:
        """Kill it."""
        self._process.kill()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def _await_ready(self, deadline: Deadline) -> None:
        while not self._ready:
            readable, _, _ = select.select([self._log], [], [], deadline.left)
            if not readable:
                self.close()
                raise StepFailed(f"{self.node}: the test server did not listen before the deadline")
            if not self._read():
                raise StepFailed(f"{self.node}: {self._last_words()}")

    def _last_words(self) -> str:
        assert self._process.stderr is not None
        words = self._process.stderr.read().decode(errors="replace").strip()
        self.close()
        return words or "the test server ended without a word"

    def _read(self) -> bool:
        """Take what the log holds; False at its end."""
        while True:
            try:
                chunk = os.read(self._log, _CHUNK)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            *lines, self._unread = (self._unread + chunk).split(b"\n")
            for line in lines:
                self._take(json.loads(line))

    def _take(self, entry: dict[str, Any]) -> None:
        match entry["event"]:
            case "ready":
                self._ready = True
            case "connection":
                self._views.append((entry["proto"], _view(self.node, entry)))


def _command_line(node: str, serve: Serve) -> list[str]:
    command = [TEST_SERVER, "--json", "--name", node]
    for proto, ports in (("--tcp", serve.tcp), ("--udp", serve.udp)):
        for port in ports:
            command += [proto, str(port)]
    return [*command, "--hold"] if serve.hold else command


def _view(node: str, entry: dict[str, Any]) -> ServerView:
    original = entry.get("original")
    failure = entry.get("original_error")
    return ServerView(
        node=node,
        source=_address(entry["source"]),
        dest=_address(entry["dest"]),
        original=None if original is None else _address(original),
        errno="" if failure is None else errno.errorcode.get(failure["errno"], "unknown"),
    )


def _address(entry: dict[str, Any]) -> SocketAddress:
    return SocketAddress(ip_address(entry["ip"]), entry["port"])
