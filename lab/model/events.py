"""What a run tells, as it happens: a stream of typed events that every output reads.

An event travels from the runner inside the sandbox to the command outside as one JSON line;
``to_json`` and ``from_json`` are that form. Times are seconds.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The first event of a run; ``kernel`` is the release that the labs run on."""

    version: str
    kernel: str
    scenarios: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioStarted:
    """A scenario begins in one variant of its matrix; ``lab`` numbers the variants of a run."""

    lab: int
    scenario: str
    title: str
    path: str
    iptables: str
    topology: str
    drawing: tuple[str, ...]
    notes: tuple[str, ...]
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabUp:
    """The topology stands; ``seconds`` since the scenario began."""

    lab: int
    seconds: float
    nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step begins."""

    lab: int
    step: int
    name: str
    verb: str
    on: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRan:
    """A command ended in a node; ``exit`` is its code, negative for a signal."""

    lab: int
    step: int
    node: str
    command: str
    exit: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSeen:
    """The tuple that the test server saw, and the original destination or its errno's name."""

    node: str
    source: str
    dest: str
    original: str = ""
    errno: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One flow as each side saw it.

    ``to`` is what the scenario wrote, ``target`` the address tried. ``evidence`` says how a
    no-answer is known: "timed out" while only waiting shows it. ``detail`` tells more of the
    outcome, such as the ICMP error and its sender. ``answer_source`` and ``answer_dest`` are the
    tuple of the answer as the sender's socket saw it.
    """

    lab: int
    step: int
    proto: str
    node: str
    to: str
    target: str
    outcome: str
    evidence: str = ""
    detail: str = ""
    source: str = ""
    answer_source: str = ""
    answer_dest: str = ""
    server: ServerSeen | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One field of an expectation that did not hold, expected beside observed."""

    field: str
    expected: str
    observed: str
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A line that shows what a step looked at: a conntrack entry, a packet, a rule's counter."""

    lab: int
    step: int
    kind: str
    node: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step ended; a failure tells its mismatches or its ``reason``, a skip its ``reason``."""

    lab: int
    step: int
    name: str
    verb: str
    status: Status
    seconds: float
    location: str
    reason: str = ""
    proves: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFinished:
    """A variant ended; ``broken`` is set where the run itself broke, with what is known of it."""

    lab: int
    scenario: str
    iptables: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    broken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSkipped:
    """A variant that this machine cannot run, why, and the command that would cure it."""

    lab: int
    scenario: str
    path: str
    iptables: str
    reason: str
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The last event: the sums over all steps (a skipped variant counts as one skip)."""

    passed: int
    failed: int
    skipped: int
    seconds: float
    interrupted: bool = False
    broken: int = field(default=0)


Event = (
    RunStarted
    | ScenarioStarted
    | LabUp
    | StepStarted
    | CommandRan
    | Flow
    | Observation
    | StepFinished
    | ScenarioFinished
    | ScenarioSkipped
    | RunFinished
)

_NAMES: dict[str, type[Any]] = {
    "run-started": RunStarted,
    "scenario-started": ScenarioStarted,
    "lab-up": LabUp,
    "step-started": StepStarted,
    "command-ran": CommandRan,
    "flow": Flow,
    "observation": Observation,
    "step-finished": StepFinished,
    "scenario-finished": ScenarioFinished,
    "scenario-skipped": ScenarioSkipped,
    "run-finished": RunFinished,
}
_TYPES = {kind: name for name, kind in _NAMES.items()}


def to_json(event: Event) -> str:
    """Write an event as one JSON object on one line, its type under ``event``."""
    return json.dumps({"event": _TYPES[type(event)], **asdict(event)}, ensure_ascii=False)


def from_json(line: str) -> Event:
    """Read what ``to_json`` wrote; ValueError or KeyError for anything else."""
    document = json.loads(line)
    kind = _NAMES[document.pop("event")]
    known = {item.name for item in fields(kind)}
    values = {key: _restore(key, value) for key, value in document.items() if key in known}
    event: Event = kind(**values)
    return event


def _restore(key: str, value: Any) -> Any:
    """Turn JSON's lists and objects back into the tuples and records that events hold."""
    if key == "mismatches":
        return tuple(Mismatch(**item) for item in value)
    if key == "server" and value is not None:
        return ServerSeen(**value)
    if key == "status":
        return Status(value)
    return tuple(value) if isinstance(value, list) else value
