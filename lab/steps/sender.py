"""Sending from a node: a socket bound as the step wants it, and how long to wait for an answer."""

from __future__ import annotations

import os
import select
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from lab.model.address import SocketAddress
from lab.model.expectation import Outcome, OutcomeIs
from lab.model.scenario import Connect, Ping, Step
from lab.observe.seen import FlowSeen
from lab.steps.deadline import Deadline
from lab.steps.failure import StepFailed
from lab.steps.stage import Stage


@dataclass(frozen=True, slots=True)
class Waiting:
    """How a step waits for what comes back.

    When the step itself expects that nothing does, silence is believed soon after the kernel has
    handled all that was sent; otherwise a sender is given time to try again. Neither can turn an
    answer into silence: what comes within the time is what is reported.
    """

    stage: Stage
    deadline: Deadline
    silence_expected: bool

    @classmethod
    def of(cls, step: Step, stage: Stage, deadline: Deadline) -> Waiting:
        """How this step waits."""
        outcomes = {each.outcome for each in step.expect if isinstance(each, OutcomeIs)}
        return cls(stage, deadline, outcomes == {Outcome.NO_ANSWER})

    def for_event(self, channel: socket.socket, events: int) -> bool:
        """Wait until the socket has an event, or long enough; whether it came."""
        poll = select.poll()
        poll.register(channel, events)
        if poll.poll(0):
            return True
        self.stage.backlog.drain()
        patience = self.stage.patience
        seconds = patience.silence if self.silence_expected else patience.answer
        return bool(poll.poll(self.deadline.earlier(seconds).left * 1000))


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
        where = f"{host}:{port}" if port else host
        words = os.strerror(error.errno or 0)
        raise StepFailed(f"{wanted.node}: cannot send from {where}: {words}") from error


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
