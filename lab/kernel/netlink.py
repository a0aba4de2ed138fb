"""Netlink: messages and attributes as bytes, batches in one send, errors by sequence number."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass

# linux/netlink.h
NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLMSG_ERROR = 2
NLA_F_NESTED = 0x8000

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_SEQUENCE = struct.Struct("=I")
_SEQUENCE_OFFSET = 8
# one answer at a time is received, and an error quotes no more than the message it is about
_RECEIVE_BYTES = 1 << 14
# The answers must fit a receive buffer of net.core.rmem_default even if all are refused, each
# taking about a kilobyte of it.
_MESSAGES_PER_SEND = 128


@dataclass(frozen=True, slots=True)
class Refusal:
    """One message of a batch that the kernel refused: its position in the batch, and errno."""

    position: int
    errno: int

    def __str__(self) -> str:
        return os.strerror(self.errno)


def attribute(kind: int, payload: bytes) -> bytes:
    """Encode a struct nlattr with its padding."""
    length = 4 + len(payload)
    return _ATTRIBUTE.pack(length, kind) + payload + b"\0" * (-length % 4)


def message(kind: int, flags: int, payload: bytes) -> bytes:
    """Encode a struct nlmsghdr before ``payload``; its sequence number is 0 until sent."""
    header = _HEADER.pack(_HEADER.size + len(payload), kind, flags | NLM_F_REQUEST, 0, 0)
    return header + payload


def route_socket() -> socket.socket:
    """Open a NETLINK_ROUTE socket; it stays bound to the calling thread's network namespace."""
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)


def send_batch(channel: socket.socket, messages: list[bytes]) -> list[Refusal]:
    """Send messages, many in one system call, and return what the kernel refused.

    rtnetlink handles the whole of a send before it returns, and answers only errors when no
    message asks for an acknowledgement: an empty receive queue means that all succeeded. A
    refused message does not stop those behind it.
    """
    refusals: list[Refusal] = []
    for start in range(0, len(messages), _MESSAGES_PER_SEND):
        refusals += _send(channel, messages[start : start + _MESSAGES_PER_SEND], start)
    return refusals


def _send(channel: socket.socket, messages: list[bytes], start: int) -> list[Refusal]:
    """Send messages whose positions begin with ``start``; their sequence numbers are one more."""
    batch = bytearray(b"".join(messages))
    offset = 0
    for sequence, encoded in enumerate(messages, start + 1):
        _SEQUENCE.pack_into(batch, offset + _SEQUENCE_OFFSET, sequence)
        offset += len(encoded)
    channel.send(batch)
    refusals: list[Refusal] = []
    while True:
        try:
            answer = channel.recv(_RECEIVE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return refusals
        refusals += _refusals(answer)


def _refusals(answer: bytes) -> list[Refusal]:
    found = []
    offset = 0
    while offset + _HEADER.size <= len(answer):
        length, kind, _, sequence, _ = _HEADER.unpack_from(answer, offset)
        if kind == NLMSG_ERROR:
            # struct nlmsgerr starts with int error, negative errno or 0
            (error,) = struct.unpack_from("=i", answer, offset + _HEADER.size)
            if error:
                found.append(Refusal(sequence - 1, -error))
        offset += (length + 3) & ~3
    return found
