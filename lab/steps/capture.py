"""Packets of a step, at the places that its expectations name."""

from __future__ import annotations

from lab.model.expectation import Packets
from lab.model.scenario import Step
from lab.observe.packets import SeenPacket, see
from lab.steps.taps import Taps


class Capture:
    """What passes the step's places from now on."""

    def __init__(self, step: Step, taps: Taps) -> None:
        """Listen wherever the step's ``packets`` want something to be seen, or not to be."""
        self._sockets = taps.listen(
            (packet.node, packet.interface)
            for expected in step.expect
            if isinstance(expected, Packets)
            for packet in expected.packets
        )
        self._lost_before = {place: socket.lost() for place, socket in self._sockets.items()}
        self._seen: list[SeenPacket] = []

    def packets(self) -> tuple[SeenPacket, ...]:
        """All packets so far, in the order of their time stamps."""
        for (node, interface), socket in self._sockets.items():
            found = (see(frame, node, interface) for frame in socket.drain())
            self._seen += [packet for packet in found if packet is not None]
        self._seen.sort(key=lambda packet: packet.time)
        return tuple(self._seen)

    def lost(self) -> dict[str, int]:
        """How many packets each place could not keep."""
        return {
            f"{node}:{interface}": socket.lost() - self._lost_before[node, interface]
            for (node, interface), socket in self._sockets.items()
        }
