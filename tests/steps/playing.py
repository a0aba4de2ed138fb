"""Scenarios played for real, and what the run told of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lab.model.events import (
    CommandRan,
    Event,
    Flow,
    Observation,
    ScenarioFinished,
    ScenarioSkipped,
    Status,
    StepFinished,
    from_json,
)

CHECKOUT = Path(__file__).parents[2]
PAIR = """\
topology:
  nodes: {a: {}, b: {}}
  links:
    - endpoints: [a, b]
      ipv4: [10.0.0.1/24, 10.0.0.2/24]
      ipv6: ["fd00::1/64", "fd00::2/64"]
"""
ROUTED = """\
topology:
  nodes:
    a: {routes: [default via 10.0.1.254, "default via fd01::ff"]}
    r: {kind: router}
    b: {routes: [default via 10.0.2.254, "default via fd02::ff"]}
  links:
    - endpoints: [a, r]
      ipv4: [10.0.1.1/24, 10.0.1.254/24]
      ipv6: ["fd01::1/64", "fd01::ff/64"]
    - endpoints: [b, r]
      ipv4: [10.0.2.1/24, 10.0.2.254/24]
      ipv6: ["fd02::1/64", "fd02::ff/64"]
"""
# A neighbour that is not there is known to be missing after 20 ms instead of 3 s.
IMPATIENT = """\
topology:
  nodes:
    a:
      sysctls:
        net.ipv4.neigh.eth0.mcast_solicit: 1
        net.ipv4.neigh.eth0.retrans_time_ms: 20
        net.ipv6.neigh.eth0.mcast_solicit: 1
        net.ipv6.neigh.eth0.retrans_time_ms: 20
      routes: [default via 10.0.1.254, "default via fd01::ff"]
    r:
      kind: router
      sysctls: {net.ipv4.neigh.eth1.mcast_solicit: 1, net.ipv4.neigh.eth1.retrans_time_ms: 20}
    b: {}
  links:
    - endpoints: [a, r]
      ipv4: [10.0.1.1/24, 10.0.1.254/24]
      ipv6: ["fd01::1/64", "fd01::ff/64"]
    - {endpoints: [b, r], ipv4: [10.0.2.1/24, 10.0.2.254/24]}
"""
Told = TypeVar(
    "Told", CommandRan, Flow, Observation, StepFinished, ScenarioFinished, ScenarioSkipped
)


@dataclass(frozen=True)
class Played:
    """The end of a run: its exit code, its events, what it complained of, and where it was."""

    code: int
    events: tuple[Event, ...]
    complaint: str
    path: Path

    def all(self, kind: type[Told], step: int | None = None) -> list[Told]:
        """The events of a kind, of one step if that is given."""
        found = [event for event in self.events if isinstance(event, kind)]
        return [each for each in found if step in (None, getattr(each, "step", None))]

    @property
    def passed(self) -> bool:
        """Whether every step passed."""
        statuses = {step.status for step in self.all(StepFinished)}
        assert (self.code == 0) == (statuses <= {Status.PASSED}), self.complaint
        return self.code == 0

    @property
    def statuses(self) -> str:
        """How the steps ended, such as ``"passed failed skipped"``."""
        return " ".join(step.status for step in self.all(StepFinished))

    def reason(self, step: int) -> str:
        """Why a step failed other than by an expectation, or was skipped."""
        (finished,) = self.all(StepFinished, step)
        return finished.reason

    def mismatches(self, step: int) -> list[tuple[str, str, str]]:
        """What did not hold in a step: field, expected, observed."""
        (finished,) = self.all(StepFinished, step)
        return [(each.field, each.expected, each.observed) for each in finished.mismatches]

    def outcomes(self, step: int) -> list[str]:
        """The outcomes of a step's flows, each with what the report says besides."""
        return [
            " ".join(filter(None, (flow.outcome, flow.evidence, flow.detail)))
            for flow in self.all(Flow, step)
        ]

    def output(self, step: int) -> str:
        """What the command of a step printed on standard output."""
        (ran,) = self.all(CommandRan, step)
        return ran.stdout

    def line(self, text: str) -> str:
        """``PATH:LINE`` of the scenario's line that contains a text."""
        lines = self.path.read_text().splitlines()
        (number,) = (number for number, line in enumerate(lines, 1) if text in line)
        return f"{self.path}:{number}"


def written(folder: Path, steps: str, topology: str = PAIR, iptables: str = "nft") -> Path:
    """Write a scenario file."""
    folder.mkdir(exist_ok=True)
    path = folder / "played.lab.yaml"
    head = f"{topology}matrix: {{iptables: {iptables}}}\n"
    path.write_text(f"{head}steps:\n{textwrap.dedent(steps).strip()}\n")
    return path


class Player:
    """A process that runs scenarios one after the other, as ``lab run`` does each."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.steps.driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=CHECKOUT,
            env={**environment, "PYTHONPATH": str(CHECKOUT), "PATH": os.environ["PATH"]},
            text=True,
        )

    def play(self, path: Path, **request: object) -> Played:
        """Run a scenario file; ``request`` are fields of RunRequest."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"scenarios": [str(path)], **request}) + "\n")
        self._process.stdin.flush()
        events: list[Event] = []
        for line in self._process.stdout:
            if line.startswith('{"event"'):
                events.append(from_json(line))
                continue
            end = json.loads(line)
            return Played(end["code"], tuple(events), end["complaint"], path)
        raise AssertionError("the driver has died")

    def close(self) -> None:
        """End the process."""
        with self._process:
            self._process.kill()
