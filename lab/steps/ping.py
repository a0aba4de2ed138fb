"""``ping``: ICMP echo requests from a raw socket opened in a node (RFC 792, RFC 4443)."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address

from lab.model.address import SocketAddress, Tuple
from lab.model.expectation import Outcome
from lab.model.scenario import Ping
from lab.observe.seen import FlowSeen
from lab.steps.icmp_error import IcmpError, listen_for_errors, read_error
from lab.steps.sender import Waiting, bind_source, cannot_send, local_address, timed_out

_ECHO = struct.Struct("!BBHHH")
# linux/icmp.h and linux/icmpv6.h
_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}
_BYTES = 1 << 16


def ping(action: Ping, waiting: Waiting, identifier: int) -> Iterator[FlowSeen]:
    """Send the echo requests one after the other; one flow for each.

    ``identifier`` (16 bits) tells these requests from those of other steps. StepFailed if they
    cannot be sent.
    """
    version = action.to.ip.version
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    proto = socket.IPPROTO_ICMP if version == 4 else socket.IPPROTO_ICMPV6
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    with waiting.stage.lab.network_of(action.node):
        channel = socket.socket(family, kind, proto)
    with channel:
        bind_source(channel, action)
        listen_for_errors(channel)
        code = channel.connect_ex((str(action.to.ip), 0))
        if code == errno.EADDRNOTAVAIL:
            raise cannot_send(action, f"to {action.to.text}", code)
        if code:
            yield _failed(code, None, None)
            return
        for sequence in range(1, action.count + 1):
            yield _echo(channel, waiting, request(version, identifier, sequence))


def _echo(channel: socket.socket, waiting: Waiting, echo: bytes) -> FlowSeen:
    name = local_address(channel)
    source = None if name is None else SocketAddress(name.ip)
    with waiting.stage.backlog.on_one_cpu():
        try:
            channel.send(echo)
        except OSError as error:
            return _failed(error.errno or 0, read_error(channel), source)
        while waiting.for_event(channel, select.POLLIN):
            answer = _read(channel, echo, source)
            if answer is not None:
                return answer
    return timed_out(source)


def _read(channel: socket.socket, echo: bytes, source: SocketAddress | None) -> FlowSeen | None:
    """Take an error or a message from the socket; None for one that is not about this echo."""
    error = read_error(channel)
    if error is not None:
        channel.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return _failed(0, error, source)
    try:
        octets, sender = channel.recvfrom(_BYTES)
    except OSError:
        # the error that the queue has told already, or nothing after all
        return None
    version = 4 if channel.family == socket.AF_INET else 6
    if version == 4:
        # a raw IPv4 socket shows the IP header too, its length in the low half of octet 0
        octets = octets[(octets[0] & 0xF) * 4 :]
    expected = bytes([_REPLY[version]])
    if octets[:1] != expected or octets[4:] != echo[4:]:
        return None
    remote = SocketAddress(ip_address(sender[0].partition("%")[0]))
    answer = None if source is None else Tuple(remote, source)
    return FlowSeen(Outcome.ANSWERED, source=source, answer=answer)


def _failed(code: int, error: IcmpError | None, source: SocketAddress | None) -> FlowSeen:
    """What an errno of sending, or an ICMP error, means.

    EPERM is how a rule in OUTPUT shows: a DROP alone, a REJECT with its ICMP error.
    """
    if error is None and code == errno.EPERM:
        return FlowSeen(Outcome.NO_ANSWER, detail=os.strerror(code), source=source)
    return FlowSeen(
        Outcome.UNREACHABLE,
        icmp="" if error is None else error.name,
        sender=None if error is None else error.sender,
        detail=os.strerror(code) if code else "",
        source=source,
    )


def request(version: int, identifier: int, sequence: int) -> bytes:
    """An echo request with 16 bytes of payload; ICMPv6's checksum is the kernel's to fill in."""
    payload = b"natlab echo test"
    kind = _REQUEST[version]
    checksum = 0
    if version == 4:
        checksum = _checksum(_ECHO.pack(kind, 0, 0, identifier, sequence) + payload)
    return _ECHO.pack(kind, 0, checksum, identifier, sequence) + payload


def _checksum(octets: bytes) -> int:
    """The one's complement sum of RFC 1071 over an even number of octets."""
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
