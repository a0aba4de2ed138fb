"""A TCP connection attempt from a socket opened in a node (tcp(7), connect(2))."""

from __future__ import annotations

import errno
import os
import select
import socket
from dataclasses import dataclass, replace
from ipaddress import ip_address

from lab.model.address import SocketAddress, Tuple
from lab.model.expectation import Outcome
from lab.model.scenario import Connect
from lab.observe.seen import FlowSeen
from lab.steps.icmp_error import IcmpError, ignore_errors, listen_for_errors, read_error
from lab.steps.sender import Waiting, bound_socket, cannot_send, local_address, timed_out

_CHUNK = 1 << 16
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
    """A connection attempt: the socket, what is known of it, and what the other end said."""

    channel: socket.socket
    seen: FlowSeen
    said: bytes = b""

    @property
    def connected(self) -> bool:
        """Whether there is somebody at the other end."""
        return self.seen.outcome is Outcome.CONNECTED

    def say(self, payload: str, waiting: Waiting) -> None:
        """Send the payload, all of it or as much as is taken before the deadline."""
        self.channel.settimeout(max(waiting.deadline.left, 0.001))
        try:
            self.channel.sendall(payload.encode())
        except TimeoutError:
            return
        except OSError as error:
            self._reset(error)
        finally:
            self.channel.setblocking(False)

    def hear(self) -> bool:
        """Take what has come; False at the end of what the other end says.

        A reset changes the outcome.
        """
        try:
            chunk = self.channel.recv(_CHUNK)
        except BlockingIOError:
            return True
        except OSError as error:
            self._reset(error)
            return False
        # a greeting is enough; a service that never ends is no concern of ours
        self.said = (self.said + chunk)[:_CHUNK]
        return bool(chunk) and len(self.said) < _CHUNK

    def close(self) -> None:
        """Close the connection."""
        self.channel.close()

    def _reset(self, error: OSError) -> None:
        words = os.strerror(error.errno or 0)
        self.seen = replace(self.seen, outcome=Outcome.RESET, detail=words, answer=None)


def attempt(connect: Connect, waiting: Waiting) -> Attempt:
    """Send a SYN and wait for what comes of it; StepFailed if it cannot be sent."""
    with waiting.stage.lab.network_of(connect.node):
        channel = bound_socket(connect, socket.SOCK_STREAM)
    listen_for_errors(channel)
    with waiting.stage.backlog.on_one_cpu():
        code: int | None = channel.connect_ex((str(connect.to.ip), connect.to.port))
        if code == errno.EADDRNOTAVAIL:
            channel.close()
            raise cannot_send(connect, f"to {connect.to.text}", code)
        if code in (0, errno.EINPROGRESS):
            waiting.for_event(channel, select.POLLOUT)
            code = _error(channel)
    return Attempt(channel, _seen(channel, code))


def _error(channel: socket.socket) -> int | None:
    """The error of a connection attempt, 0 for success, None while it is still under way.

    Asked of the peer's name first: an ICMP error can come in behind a handshake that has
    succeeded, and it ends only an attempt.
    """
    if _peer(channel) is None:
        return channel.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or None
    ignore_errors(channel)
    # what the handshake's end has brought with it: an ICMP error, now of no meaning, or a reset
    late = channel.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return late if late in (errno.ECONNRESET, errno.EPIPE) else 0


def _peer(channel: socket.socket) -> SocketAddress | None:
    """Who is at the other end; None when nobody is, yet or any more."""
    try:
        name = channel.getpeername()
    except OSError:
        return None
    return SocketAddress(ip_address(name[0]), name[1])


def _seen(channel: socket.socket, code: int | None) -> FlowSeen:
    source = local_address(channel)
    if code == 0:
        return _connected(channel, source)
    if code is None or code == errno.ETIMEDOUT:
        return timed_out(source)
    return _failed(code, read_error(channel), source)


def _connected(channel: socket.socket, source: SocketAddress | None) -> FlowSeen:
    remote = _peer(channel)
    if remote is None:
        # reset since we looked
        return FlowSeen(Outcome.RESET, detail=os.strerror(errno.ECONNRESET), source=source)
    answer = None if source is None else Tuple(remote, source)
    return FlowSeen(Outcome.CONNECTED, source=source, answer=answer)


def _failed(code: int, error: IcmpError | None, source: SocketAddress | None) -> FlowSeen:
    detail = os.strerror(code)
    icmp = "" if error is None else error.name
    sender = None if error is None else error.sender
    if code == errno.ECONNREFUSED:
        return FlowSeen(Outcome.REFUSED, icmp=icmp, sender=sender, detail=detail, source=source)
    if code in (errno.ECONNRESET, errno.EPIPE):
        return FlowSeen(Outcome.RESET, detail=detail, source=source)
    if code in _UNREACHABLE or error is not None:
        return FlowSeen(Outcome.UNREACHABLE, icmp=icmp, sender=sender, detail=detail, source=source)
    return FlowSeen(Outcome.NO_ANSWER, detail=detail, source=source)
