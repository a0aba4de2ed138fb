"""A way of making a star, timed in a process of its own.

Its command makes a star, drops it and prints one line of JSON:
{"hosts": N, "setup_s": SECONDS, "teardown_s": SECONDS, "errors": 0}, and lab's also "plan_s".
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.model.errors import Broken
from tools.bench.cleanup import wait_for_namespace_cleanup
from tools.bench.engine import address_of
from tools.bench.timing import Timing


@dataclass(frozen=True, slots=True)
class Contender:
    """Who makes a star: the compiled star_floor.c ``floor``, or lab if that is None."""

    floor: Path | None = None

    def command(self, hosts: int) -> list[str]:
        """Return the command that times one star."""
        return [*self._program(), str(hosts)]

    def command_in(self, node: int, command: str, hosts: int) -> list[str]:
        """Return the command that runs another one in the switch (0) or a host (from 1)."""
        return [*self._program(), "--in", str(node), command, str(hosts)]

    def _program(self) -> list[str]:
        floor = [] if self.floor is None else ["--floor", str(self.floor)]
        return [sys.executable, "-P", "-m", "tools.bench.fenced", *floor]


def prove_star(contender: Contender, hosts: int) -> None:
    """Have the first host of a star ping the last one; raises Broken if there is no answer."""
    ping = f"ping -n -c 1 -W 5 {address_of(hosts)}"
    done = subprocess.run(
        contender.command_in(1, ping, hosts), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        raise Broken(f"a star of {hosts} hosts does not work:\n{done.stdout.decode()}")


def time_star(contender: Contender, hosts: int) -> Timing:
    """Make and drop one star, and wait until the kernel is done with it.

    What the command complains of goes to stderr. Raises Broken if it fails, or says that it made
    anything else than that star.
    """
    command = contender.command(hosts)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        dropped = time.monotonic()
    gone = wait_for_namespace_cleanup()
    if process.returncode != 0:
        raise Broken(f"{' '.join(command)} failed with exit code {process.returncode}")
    try:
        told = json.loads(line)
        if told["hosts"] == hosts and told["errors"] == 0:
            gone_s = round(gone - dropped, 6)
            return Timing(told["setup_s"], told["teardown_s"], gone_s, told.get("plan_s"))
    except (ValueError, KeyError, TypeError):
        pass
    raise Broken(f"{' '.join(command)} did not time a star of {hosts} hosts: {line!r}")


def time_in_turns(
    contenders: Mapping[str, Contender], hosts: int, repetitions: int
) -> dict[str, list[Timing]]:
    """Time every contender once, then every one again, …; the n-th timings are neighbours."""
    timings: dict[str, list[Timing]] = {name: [] for name in contenders}
    wait_for_namespace_cleanup()
    for _ in range(repetitions):
        for name, contender in contenders.items():
            timings[name].append(time_star(contender, hosts))
    return timings
