"""Listening TCP and bound UDP sockets of a network namespace, read from /proc (proc_net(5)).

The files are there on every kernel, unlike the sock_diag modules, and need no more privilege.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from lab.model.address import IPAddress, SocketAddress


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that waits for whoever comes: ``proto`` is tcp or udp.

    One bound to ``[::]`` takes IPv4 as well, unless it asked for IPV6_V6ONLY.
    """

    proto: str
    address: SocketAddress

    def __str__(self) -> str:
        return f"{self.proto} {self.address}"


def listeners() -> tuple[Listener, ...]:
    """The listeners in the calling thread's network namespace.

    A table that the kernel lacks (tcp6 and udp6 where IPv6 is off) is empty. Raises OSError.
    """
    tables = Path("/proc/thread-self/net")
    found: list[Listener] = []
    for name in ("tcp", "tcp6", "udp", "udp6"):
        try:
            text = (tables / name).read_text("ascii")
        except FileNotFoundError:
            continue
        found += table(name.removesuffix("6"), text)
    return tuple(found)


def table(proto: str, text: str) -> tuple[Listener, ...]:
    """Read one of the tables; ``proto`` is tcp or udp.

    A UDP socket has no state of its own: it waits for anybody while it is not connected, which
    the kernel shows as TCP_CLOSE (net/tcp_states.h).
    """
    tcp_close, tcp_listen = "07", "0A"
    waiting = tcp_listen if proto == "tcp" else tcp_close
    rows = (line.split() for line in text.splitlines()[1:])
    return tuple(Listener(proto, _address(row[1])) for row in rows if row[3] == waiting)


def _address(text: str) -> SocketAddress:
    """Decode ``0100007F:0050``: each 32-bit word of the address is in the machine's byte order."""
    words, port = text.split(":")
    octets = b"".join(
        int(words[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(words), 8)
    )
    ip: IPAddress = IPv4Address(octets) if len(octets) == 4 else IPv6Address(octets)
    return SocketAddress(ip, int(port, 16))
