"""What the steps of a scenario act on: the lab, its servers and processes, the report."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from lab.kernel import tasks
from lab.kernel.backlog import Backlog
from lab.model.events import CommandRan, Event
from lab.model.scenario import Scenario, Step
from lab.sandbox.lab import Lab
from lab.steps.background import Background
from lab.steps.server import Server
from lab.steps.taps import Taps


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, a sender waits when nothing comes back.

    ``answer`` is for what is expected: a sender may have to try again, and that a host is not
    there is known after 3 seconds (mcast_solicit and retrans_time of arp(7)). ``silence`` is for
    nothing, once the lab is quiet; so is ``greeting``, where a connection stands and the other
    end may be thinking. ``restless`` is for a lab that does not become quiet.
    """

    silence: float = 0.025
    greeting: float = 0.25
    answer: float = 3.5
    restless: float = 3.5


DEFAULT_PATIENCE = Patience()


class Stage:
    """The running state of one scenario in one variant; ``number`` is its lab's in the run.

    ``held`` are connections that a test server keeps open, and its client with it.
    """

    def __init__(
        self,
        lab: Lab,
        scenario: Scenario,
        number: int,
        emit: Callable[[Event], None],
        patience: Patience,
    ) -> None:
        self.lab = lab
        self.scenario = scenario
        self.number = number
        self.emit = emit
        self.patience = patience
        self.backlog = Backlog()
        self.taps = Taps(lab)
        self.servers: list[Server] = []
        self.backgrounds: dict[str, Background] = {}
        self.held: list[socket.socket] = []

    def is_quiet(self) -> bool:
        """Whether all that was sent has been handled, by the kernel and by the lab's processes.

        What may still come is what somebody waits with: on a timer, in a sleep.
        """
        if not tasks.others_asleep():
            return False
        self.backlog.drain_everywhere()
        return tasks.others_asleep()

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
        self.backlog.close()
        self.taps.close()
        for connection in self.held:
            connection.close()
        for server in self.servers:
            server.close()
        for background in self.backgrounds.values():
            background.close()
