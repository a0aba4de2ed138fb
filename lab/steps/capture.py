"""Packets of a step, at the places that its expectations name."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.kernel.packet_socket import PacketSocket
from lab.model.expectation import Packets
from lab.model.scenario import Step
from lab.observe.packets import SeenPacket, see
from lab.steps.failure import StepFailed
from lab.steps.stage import Stage


@dataclass(slots=True)
class Capture:
    """Packet sockets, one for each place."""

    sockets: dict[tuple[str, str], PacketSocket] = field(default_factory=dict)
    seen: list[SeenPacket] = field(default_factory=list)

    @classmethod
    def at_places_of(cls, step: Step, stage: Stage) -> Capture:
        """Listen wherever the step's ``packets`` want something to be seen, or not to be."""
        capture = cls()
        for expected in step.expect:
            if isinstance(expected, Packets):
                for packet in expected.packets:
                    capture._listen(packet.node, packet.interface, stage)
        return capture

    def packets(self) -> tuple[SeenPacket, ...]:
        """All packets so far, in the order of their time stamps."""
        for (node, interface), listener in self.sockets.items():
            found = (see(frame, node, interface) for frame in listener.drain())
            self.seen += [packet for packet in found if packet is not None]
        self.seen.sort(key=lambda packet: packet.time)
        return tuple(self.seen)

    def lost(self) -> dict[str, int]:
        """How many packets each place could not keep."""
        return {
            f"{node}:{interface}": listener.lost()
            for (node, interface), listener in self.sockets.items()
        }

    def close(self) -> None:
        """Stop listening."""
        for listener in self.sockets.values():
            listener.close()

    def _listen(self, node: str, interface: str, stage: Stage) -> None:
        if (node, interface) in self.sockets:
            return
        stamps = stage.stamps
        try:
            with stage.lab.network_of(node):
                self.sockets[node, interface] = PacketSocket(interface, stamps)
        except OSError as error:
            raise StepFailed(f"cannot listen at {node}:{interface}: {error.strerror}") from error
