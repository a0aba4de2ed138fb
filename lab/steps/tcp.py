"""A TCP connection attempt from a socket opened in a node (tcp(7), connect(2))."""

from __future__ import annotations

import errno
import os
import select
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from lab.model.address import SocketAddress, Tuple
from lab.model.expectation import Outcome
from lab.model.scenario import Connect
from lab.observe.seen import FlowSeen
from lab.steps.deadline import Deadline
from lab.steps.icmp_error import IcmpError, listen_for_errors, read_error
from lab.steps.sender import Waiting, bound_socket, local_address, timed_out

_ANSWER_BYTES = 1 << 16
_UNREACHABLE = frozenset(
    {
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.EHOSTDOWN,
        errno.ENETDOWN,
        errno.ENONET,
        errno.ENOPROTOOPT,
        errno.EACCES,
        errno.EINVAL,
        errno.EMSGSIZE,
    }
)


@dataclass(slots=True)
class Attempt:
    """A connection attempt: the socket, and what is known of it once it has been tried."""

    channel: socket.socket
    seen: FlowSeen

    @property
    def connected(self) -> bool:
        """Whether there is somebody at the other end."""
        return self.seen.outcome is Outcome.CONNECTED

    def close(self) -> None:
        """Close the connection."""
        self.channel.close()


def attempt(connect: Connect, waiting: Waiting) -> Attempt:
    """Send a SYN and wait for what comes of it; StepFailed if the source cannot be bound."""
    with waiting.stage.lab.network_of(connect.node):
        channel = bound_socket(connect, socket.SOCK_STREAM)
    listen_for_errors(channel)
    with waiting.stage.backlog.on_one_cpu():
        code: int | None = channel.connect_ex((str(connect.to.ip), connect.to.port))
        if code == errno.EINPROGRESS:
            waiting.for_event(channel, select.POLLOUT)
            code = _pending_error(channel)
    return Attempt(channel, _seen(channel, code, read_error(channel)))


def converse(
    tried: Attempt, payload: str | None, deadline: Deadline, *, one_line: bool = False
) -> bytes:
    """Send the payload and read what the other end says, to its end of file or the deadline.

    With ``one_line`` the end of a line is enough, for a server that keeps connections open once
    it has answered. A reset while reading changes the outcome to ``reset``.
    """
    channel = tried.channel
    said = b""
    try:
        if payload:
            channel.settimeout(max(deadline.left, 0.001))
            channel.sendall(payload.encode())
        while len(said) < _ANSWER_BYTES:
            channel.settimeout(max(deadline.left, 0.001))
            chunk = channel.recv(_ANSWER_BYTES)
            if not chunk:
                break
            said += chunk
            if one_line and said.endswith(b"\n"):
                break
    except TimeoutError:
        return said
    except (ConnectionResetError, BrokenPipeError) as error:
        tried.seen = FlowSeen(
            Outcome.RESET, detail=os.strerror(error.errno or 0), source=tried.seen.source
        )
    return said


def _pending_error(channel: socket.socket) -> int | None:
    """The error of a connection attempt, 0 for success, None while it is still under way."""
    poll = select.poll()
    poll.register(channel, select.POLLOUT)
    if not poll.poll(0):
        return None
    return channel.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def _seen(channel: socket.socket, code: int | None, error: IcmpError | None) -> FlowSeen:
    source = local_address(channel)
    if code == 0:
        peer = channel.getpeername()
        remote = SocketAddress(ip_address(peer[0]), peer[1])
        answer = None if source is None else Tuple(remote, source)
        return FlowSeen(Outcome.CONNECTED, source=source, answer=answer)
    if code is None or code == errno.ETIMEDOUT:
        return timed_out(source)
    detail = os.strerror(code)
    icmp = "" if error is None else error.name
    sender = None if error is None else error.sender
    if code == errno.ECONNREFUSED:
        return FlowSeen(Outcome.REFUSED, icmp=icmp, sender=sender, detail=detail, source=source)
    if code == errno.ECONNRESET:
        return FlowSeen(Outcome.RESET, detail=detail, source=source)
    if code in _UNREACHABLE or error is not None:
        return FlowSeen(Outcome.UNREACHABLE, icmp=icmp, sender=sender, detail=detail, source=source)
    return FlowSeen(Outcome.NO_ANSWER, detail=detail, source=source)
