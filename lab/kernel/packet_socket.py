"""Packet sockets: every frame that passes an interface, with the kernel's own time stamp.

See packet(7) and linux/if_packet.h. A socket stays bound to the network namespace of the thread
that opened it, so one process can listen at any number of hosts at once. The stamps of all of them
come from one clock, and rise along the path of a packet through the hosts.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType

SNAP_BYTES = 65535
"""Every packet whole: an aggregate of segmentation offload is no larger."""

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; its control message has the same number
_TIMESPEC = struct.Struct("@ll")


class Way(StrEnum):
    """Which way a frame passed an interface."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Frame:
    """What a packet socket received.

    ``time`` is in nanoseconds since the epoch. ``ethernet`` is False where ``octets`` begin with
    the IP header, as on a PPP or tun interface. ``length`` is the frame's length in bytes, of
    which ``octets`` may be only the beginning.
    """

    time: int
    way: Way
    ethernet: bool
    octets: bytes
    length: int


class Stamps:
    """Time stamps, switched on; packet sockets need them for their whole life.

    The kernel stamps packets only while some socket asks for it, and begins up to some
    milliseconds after the first one asked (net_enable_timestamp in net/core/dev.c hands the switch
    to a work queue). A frame that passed before is stamped when it is read, which would put it
    behind all others. So one socket asks first and frames are sent over ``lo`` until one comes
    back with the time of its sending; they are of an experimental Ethernet type, which no
    protocol, rule or connection tracking looks at.
    """

    def __init__(self, patience: float = 5.0) -> None:
        """Switch on; ``lo`` must be up in the calling thread's network namespace.

        Raises OSError: ENETDOWN where it is not, ETIMEDOUT after ``patience`` seconds.
        """
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_PACKET, kind, 0)
        try:
            self._socket.settimeout(patience)
            self._switch_on(time.monotonic() + patience)
        except BaseException:
            self._socket.close()
            raise

    def _switch_on(self, deadline: float) -> None:
        eth_p_802_ex1 = 0x88B5  # linux/if_ether.h: local experimental Ethertype 1
        frame = bytes(12) + eth_p_802_ex1.to_bytes(2, "big") + bytes(46)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind(("lo", eth_p_802_ex1))
        while True:
            self._socket.send(frame)
            sent = time.time_ns()
            control = self._socket.recvmsg(len(frame), socket.CMSG_SPACE(_TIMESPEC.size))[1]
            if _stamp(control) <= sent:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(errno.ETIMEDOUT, "the kernel does not stamp packets")
            os.sched_yield()

    def close(self) -> None:
        """Let go; the kernel stops stamping when nobody else asks for it."""
        self._socket.close()

    def __enter__(self) -> Stamps:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class PacketSocket:
    """A listener at one interface: it sees frames before netfilter on the way in, after it out.

    It does not make the interface promiscuous: the two ends of a veth and the ports of a bridge
    show frames for other MAC addresses anyway, and the kernel would log it.
    """

    def __init__(self, interface: str, stamps: Stamps, snap_bytes: int = SNAP_BYTES) -> None:
        """Listen at an interface of the calling thread's network namespace.

        ``stamps`` must be open; of each frame at most ``snap_bytes`` are kept. Needs CAP_NET_RAW
        over the namespace. Raises OSError, with ENODEV for an interface that is not there.
        """
        self._stamps = stamps
        self._lost = 0
        self._buffer = bytearray(snap_bytes)
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        # Without a protocol it hears nothing before bind: otherwise, every interface.
        self._socket = socket.socket(socket.AF_PACKET, kind, 0)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            # The kernel cuts this to net.core.rmem_max, which no lab can change.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            eth_p_all = 0x0003  # linux/if_ether.h
            self._socket.bind((interface, eth_p_all))
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """The descriptor, to wait for frames."""
        return self._socket.fileno()

    def close(self) -> None:
        """Stop listening; frames not yet drained are gone."""
        self._socket.close()

    def drain(self) -> list[Frame]:
        """Take all frames that are queued, oldest first, without waiting."""
        frames: list[Frame] = []
        while True:
            try:
                frame = self._receive()
            except BlockingIOError:
                return frames
            except OSError as error:
                # Told once when the interface goes down; what was queued can still be read.
                if error.errno != errno.ENETDOWN:
                    raise
                continue
            if frame is not None:
                frames.append(frame)

    def lost(self) -> int:
        """How many frames the queue had no room for, since the socket was opened."""
        packet_statistics = 6  # linux/if_packet.h; reading it sets it back to 0
        statistics = struct.Struct("=II")  # struct tpacket_stats: tp_packets, tp_drops
        answer = self._socket.getsockopt(_SOL_PACKET, packet_statistics, statistics.size)
        self._lost += statistics.unpack(answer)[1]
        return self._lost

    def _receive(self) -> Frame | None:
        """Take one frame; None for the second of the two times that loopback shows each."""
        arphrd_ether, arphrd_loopback = 1, 772  # linux/if_arp.h
        # Into a buffer: recvmsg with MSG_TRUNC would return bytes that it never filled.
        length, control, _, sender = self._socket.recvmsg_into(
            [self._buffer], socket.CMSG_SPACE(_TIMESPEC.size), socket.MSG_TRUNC
        )
        way = Way.OUT if sender[2] == socket.PACKET_OUTGOING else Way.IN
        hardware = sender[3]
        if hardware == arphrd_loopback and way is Way.IN:
            return None
        return Frame(
            time=_stamp(control),
            way=way,
            ethernet=hardware in (arphrd_ether, arphrd_loopback),
            octets=bytes(memoryview(self._buffer)[:length]),
            length=length,
        )


_SOL_PACKET = 263  # linux/socket.h


def _stamp(control: list[tuple[int, int, bytes]]) -> int:
    """The time in a message's SCM_TIMESTAMPNS, in nanoseconds since the epoch."""
    for level, kind, payload in control:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(payload)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    raise OSError(errno.EPROTO, "a packet without a time stamp")
