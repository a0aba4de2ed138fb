"""What the steps of a scenario act on: the lab, its servers and processes, the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lab.kernel.backlog import Backlog
from lab.kernel.packet_socket import Stamps
from lab.model.events import CommandRan, Event
from lab.model.scenario import Scenario, Step
from lab.sandbox.lab import Lab
from lab.steps.background import Background
from lab.steps.server import Server


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, a sender waits when nothing comes back.

    ``silence`` when no answer is expected, ``answer`` when one is. A kernel that has handled all
    that was sent (lab.kernel.backlog) answers at once or never; only a process may take longer.
    """

    silence: float = 0.04
    answer: float = 3.5


@dataclass(slots=True)
class Stage:
    """The running state of one scenario in one variant."""

    lab: Lab
    scenario: Scenario
    number: int
    emit: Callable[[Event], None]
    patience: Patience = Patience()
    servers: list[Server] = field(default_factory=list)
    backgrounds: dict[str, Background] = field(default_factory=dict)
    _backlog: Backlog | None = None
    _stamps: Stamps | None = None

    @property
    def backlog(self) -> Backlog:
        """The kernel's receive queue, watched from the first probe on."""
        if self._backlog is None:
            self._backlog = Backlog()
        return self._backlog

    @property
    def stamps(self) -> Stamps:
        """Packet time stamps, switched on from the first capture to the scenario's end."""
        if self._stamps is None:
            self._stamps = Stamps()
        return self._stamps

    def tell_command(
        self, step: Step, node: str, command: str, code: int, stdout: str, stderr: str
    ) -> None:
        """Report a command that ended."""
        self.emit(
            CommandRan(
                lab=self.number,
                step=step.number,
                node=node,
                command=command,
                exit=code,
                stdout=stdout,
                stderr=stderr,
            )
        )

    def close(self) -> None:
        """Let go of what the steps opened."""
        for resource in (self._backlog, self._stamps, *self.servers, *self.backgrounds.values()):
            if resource is not None:
                resource.close()
