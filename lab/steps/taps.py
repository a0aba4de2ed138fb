"""Listening at interfaces: opened when a step first asks for a place, kept to the scenario's end.

Closing a packet socket waits until no CPU can be using it any more (synchronize_net in
net/packet/af_packet.c), some 10 ms each; at the end they are closed all at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from lab.kernel.packet_socket import PacketSocket, Stamps
from lab.sandbox.lab import Lab
from lab.steps.failure import StepFailed

Place = tuple[str, str]
"""A node and one of its interfaces."""


class Taps:
    """The packet sockets of a lab."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._stamps: Stamps | None = None
        self._sockets: dict[Place, PacketSocket] = {}

    def listen(self, places: Iterable[Place]) -> dict[Place, PacketSocket]:
        """The sockets at these places, with nothing in them of what passed before.

        Raises StepFailed for an interface that is not there.
        """
        chosen = {place: self._socket(place) for place in places}
        for socket in chosen.values():
            socket.drain()
        return chosen

    def close(self) -> None:
        """Stop listening."""
        if self._stamps is None:
            return
        with ThreadPoolExecutor(len(self._sockets) + 1) as pool:
            pool.submit(self._stamps.close)
            for socket in self._sockets.values():
                pool.submit(socket.close)

    def _socket(self, place: Place) -> PacketSocket:
        if place not in self._sockets:
            if self._stamps is None:
                self._stamps = Stamps()
            node, interface = place
            try:
                with self._lab.network_of(node):
                    self._sockets[place] = PacketSocket(interface, self._stamps)
            except OSError as error:
                where = f"{node}:{interface}"
                raise StepFailed(f"cannot listen at {where}: {error.strerror}") from error
        return self._sockets[place]
