"""A UDP datagram from a socket opened in a node, and its answer (udp(7))."""

from __future__ import annotations

import errno
import os
import select
import socket
from ipaddress import ip_address

from lab.model.address import SocketAddress, Tuple
from lab.model.expectation import Outcome
from lab.model.scenario import Connect
from lab.observe.seen import FlowSeen
from lab.steps.icmp_error import listen_for_errors, read_error
from lab.steps.sender import Waiting, bound_socket, cannot_send, local_address, timed_out

_DATAGRAM_BYTES = 1 << 16
_DEFAULT_PAYLOAD = "natlab"
_NOBODY_LISTENS = "port-unreachable"


def exchange(connect: Connect, waiting: Waiting) -> FlowSeen:
    """Send one datagram and wait for the answer or an error; StepFailed if it cannot be sent."""
    with waiting.stage.lab.network_of(connect.node):
        channel = bound_socket(connect, socket.SOCK_DGRAM)
    with channel:
        listen_for_errors(channel)
        code = channel.connect_ex((str(connect.to.ip), connect.to.port))
        if code == errno.EADDRNOTAVAIL:
            raise cannot_send(connect, f"to {connect.to.text}", code)
        if code:
            return _failed(channel, code)
        payload = (connect.payload or _DEFAULT_PAYLOAD).encode()
        with waiting.stage.backlog.on_one_cpu():
            try:
                channel.send(payload)
            except OSError as error:
                return _failed(channel, error.errno or 0)
            waiting.for_event(channel, select.POLLIN)
        return _answer(channel)


def _answer(channel: socket.socket) -> FlowSeen:
    source = local_address(channel)
    try:
        _, sender = channel.recvfrom(_DATAGRAM_BYTES)
    except BlockingIOError:
        return timed_out(source)
    except OSError as error:
        return _failed(channel, error.errno or 0)
    remote = SocketAddress(ip_address(sender[0]), sender[1])
    answer = None if source is None else Tuple(remote, source)
    return FlowSeen(Outcome.ANSWERED, source=source, answer=answer)


def _failed(channel: socket.socket, code: int) -> FlowSeen:
    """What an errno means for a datagram.

    EPERM is how a rule in OUTPUT shows: a DROP alone, a REJECT with its ICMP error.
    """
    source = local_address(channel)
    error = read_error(channel)
    detail = os.strerror(code)
    if error is None and code == errno.EPERM:
        return FlowSeen(Outcome.NO_ANSWER, detail=detail, source=source)
    icmp = "" if error is None else error.name
    refused = code == errno.ECONNREFUSED or icmp == _NOBODY_LISTENS
    return FlowSeen(
        Outcome.REFUSED if refused else Outcome.UNREACHABLE,
        icmp=icmp,
        sender=None if error is None else error.sender,
        detail=detail,
        source=source,
    )
