"""ICMP errors that reach a socket, with who sent them (IP_RECVERR of ip(7))."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address

from lab.model.address import IPAddress
from lab.observe import icmp

# linux/in.h, linux/in6.h and linux/errqueue.h
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_SO_EE_ORIGIN_ICMP, _SO_EE_ORIGIN_ICMP6 = 2, 3
_EXTENDED_ERROR = struct.Struct("=IBBBBII")


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An ICMP error by the name that iptables uses, and the host that sent it."""

    name: str
    sender: IPAddress | None


def listen_for_errors(channel: socket.socket) -> None:
    """Have the kernel queue ICMP errors for this socket."""
    _set_queue(channel, 1)


def ignore_errors(channel: socket.socket) -> None:
    """Have the kernel treat ICMP errors for this socket as it does by default."""
    _set_queue(channel, 0)


def _set_queue(channel: socket.socket, value: int) -> None:
    if channel.family == socket.AF_INET6:
        channel.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, value)
    else:
        channel.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, value)


def read_error(channel: socket.socket) -> IcmpError | None:
    """Take the newest queued ICMP error; None if none arrived."""
    newest = None
    while True:
        try:
            _, control, _, _ = channel.recvmsg(0, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
        except OSError:
            return newest
        for _, _, payload in control:
            newest = _decode(payload) or newest


def _decode(payload: bytes) -> IcmpError | None:
    """Decode a struct sock_extended_err with the offender's address behind it."""
    if len(payload) < _EXTENDED_ERROR.size:
        return None
    _, origin, kind, code, _, _, _ = _EXTENDED_ERROR.unpack_from(payload)
    if origin not in (_SO_EE_ORIGIN_ICMP, _SO_EE_ORIGIN_ICMP6):
        return None
    version = 4 if origin == _SO_EE_ORIGIN_ICMP else 6
    # struct sockaddr_in has its address at 4, struct sockaddr_in6 at 8
    start = _EXTENDED_ERROR.size + (4 if version == 4 else 8)
    octets = payload[start : start + (4 if version == 4 else 16)]
    sender = ip_address(octets) if any(octets) else None
    return IcmpError(icmp.name(version, kind, code), sender)
