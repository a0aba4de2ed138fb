"""Knowing that packets in flight have been handled, without waiting for a clock.

A packet that crosses veth pairs, bridges and loopback is handled hop by hop in the receive queue of
the CPU that sent it (enqueue_to_backlog of net/core/dev.c), first in, first out. So whoever goes to
that CPU and sends packets of its own round trip by round trip knows, after as many round trips as
the other packet has hops, that nothing of it is left in a queue.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

# Each round trip drains at least one hop; no lab that a person draws is this long.
_ROUND_TRIPS = 64
_PATIENCE = 5.0


class Backlog:
    """Round trips over ``lo`` of the network namespace in which it was made; ``lo`` must be up."""

    def __init__(self) -> None:
        self._cpus = os.sched_getaffinity(0)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(self._socket.getsockname())
        self._socket.settimeout(_PATIENCE)

    @contextmanager
    def on_one_cpu(self) -> Iterator[None]:
        """Keep the calling thread on one CPU, so that what it sends stays in one queue."""
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(allowed)})
        try:
            yield
        finally:
            os.sched_setaffinity(0, allowed)

    def drain(self) -> None:
        """Return when what this thread sent before has been handled; use inside ``on_one_cpu``.

        Raises TimeoutError if the kernel does not even deliver over loopback.
        """
        for _ in range(_ROUND_TRIPS):
            self._socket.send(b"\0")
            self._socket.recv(1)

    def drain_everywhere(self) -> None:
        """Return when what anybody sent before has been handled, whichever CPU it was sent on.

        Those CPUs are meant that the calling thread could use when this was made. Raises
        TimeoutError as ``drain`` does.
        """
        allowed = os.sched_getaffinity(0)
        try:
            for cpu in self._cpus:
                os.sched_setaffinity(0, {cpu})
                self.drain()
        finally:
            os.sched_setaffinity(0, allowed)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
