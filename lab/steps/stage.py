"""What the steps of a scenario act on: the lab, its servers and processes, the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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

    ``silence`` when no answer is expected, ``answer`` when one is. A kernel that has handled all
    that was sent (lab.kernel.backlog) answers at once or never; only a process may take longer.
    """

    silence: float = 0.025
    answer: float = 3.5


DEFAULT_PATIENCE = Patience()


class Stage:
    """The running state of one scenario in one variant; ``number`` is its lab's in the run."""

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
        for server in self.servers:
            server.close()
        for background in self.backgrounds.values():
            background.close()
