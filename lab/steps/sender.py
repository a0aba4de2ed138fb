"""Sending from a node: a socket bound as the step wants it, and how long to wait for an answer."""

from __future__ import annotations

import os
import select
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from lab.model.address import SocketAddress, render
from lab.model.expectation import Outcome, OutcomeIs
from lab.model.scenario import Connect, Ping, Step
from lab.observe.seen import FlowSeen
from lab.steps.deadline import Deadline
from lab.steps.failure import StepFailed
from lab.steps.stage import Stage

# How soon a lab that is not quiet is looked at again.
_INTERVAL = 0.005


@dataclass(frozen=True, slots=True)
class Waiting:
    """How a step waits for what comes back.

    What is expected is given time. Silence that is expected is believed soon after the lab has
    become quiet, and not before: a machine so busy that a server has not had its turn yet can't
    turn its answer into silence.
    """

    stage: Stage
    deadline: Deadline
    expected: Outcome | None

    @classmethod
    def of(cls, step: Step, stage: Stage, deadline: Deadline) -> Waiting:
        """How this step waits."""
        outcomes = {each.outcome for each in step.expect if isinstance(each, OutcomeIs)}
        return cls(stage, deadline, outcomes.pop() if len(outcomes) == 1 else None)

    def for_event(self, channel: socket.socket, events: int) -> bool:
        """Wait until the socket has an event, or long enough; whether it came."""
        patience = self.stage.patience
        if self.expected is Outcome.NO_ANSWER:
            return self._event_or_quiet(channel, events, patience.silence)
        return self._event(channel, events, patience.answer)

    def for_words(self, channel: socket.socket, *, of_a_server: bool) -> bool:
        """Wait until a connection that stands has something to read, or long enough."""
        patience = self.stage.patience
        if of_a_server or self.expected is Outcome.RESET:
            return self._event(channel, select.POLLIN, patience.answer)
        return self._event_or_quiet(channel, select.POLLIN, patience.greeting)

    def _event(self, channel: socket.socket, events: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(channel, events)
        return bool(poll.poll(self.deadline.earlier(seconds).left * 1000))

    def _event_or_quiet(self, channel: socket.socket, events: int, silence: float) -> bool:
        """Wait for an event, at most until ``silence`` seconds have passed in a quiet lab."""
        limit = self.deadline.earlier(self.stage.patience.restless)
        if self._event(channel, events, 0):
            return True
        while not limit.passed:
            quiet = self.stage.is_quiet()
            if self._event(channel, events, min(limit.left, silence if quiet else _INTERVAL)):
                return True
            if quiet:
                return False
        return False


def bound_socket(wanted: Connect, kind: socket.SocketKind) -> socket.socket:
    """Open a non-blocking socket in the current network namespace, bound to the step's source."""
    v6 = wanted.to.ip.version == 6
    family = socket.AF_INET6 if v6 else socket.AF_INET
    channel = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    if wanted.source_ip is None and wanted.source_port is None:
        return channel
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    host = str(wanted.source_ip) if wanted.source_ip else ("::" if v6 else "0.0.0.0")
    _bind(channel, wanted, host, wanted.source_port or 0)
    return channel


def _bind(channel: socket.socket, wanted: Connect | Ping, host: str, port: int) -> None:
    try:
        channel.bind((host, port))
    except OSError as error:
        channel.close()
        where = f"from {render(ip_address(host), port or None)}"
        raise cannot_send(wanted, where, error.errno or 0) from error


def cannot_send(wanted: Connect | Ping, where: str, code: int) -> StepFailed:
    """The failure of a step that could not even try: ``where`` is "from" or "to" an address."""
    return StepFailed(f"{wanted.node}: cannot send {where}: {os.strerror(code)}")


def bind_source(channel: socket.socket, wanted: Ping) -> None:
    """Bind a raw socket to the step's source address, if it names one."""
    if wanted.source_ip is not None:
        _bind(channel, wanted, str(wanted.source_ip), 0)


def local_address(channel: socket.socket) -> SocketAddress | None:
    """The address that the socket sends from; None while it has none."""
    name = channel.getsockname()
    ip = ip_address(name[0])
    return None if ip.is_unspecified else SocketAddress(ip, name[1])


def timed_out(source: SocketAddress | None) -> FlowSeen:
    """A flow to which nothing came back while we waited."""
    return FlowSeen(Outcome.NO_ANSWER, evidence="timed out", source=source)
