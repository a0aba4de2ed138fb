"""What a measurement was made on: times mean little without it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and its user; ``load`` is the number of running tasks, over the last minute."""

    kernel: str
    architecture: str
    cpus: int
    python: str
    root: bool
    load: float

    def __str__(self) -> str:
        user = "root" if self.root else "an ordinary user"
        return (
            f"Linux {self.kernel} {self.architecture}, {self.cpus} CPUs, "
            f"Python {self.python}, as {user}, load {self.load:.2f} before"
        )


def this_machine() -> Machine:
    """Describe this machine as it is now; ``cpus`` are those that this process may use."""
    return Machine(
        kernel=platform.release(),
        architecture=platform.machine(),
        cpus=len(os.sched_getaffinity(0)),
        python=platform.python_version(),
        root=os.geteuid() == 0,
        load=os.getloadavg()[0],
    )
