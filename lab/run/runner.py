"""The runner: one scenario in one variant, inside the sandbox, told as events."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.model.errors import LabError, Missing
from lab.model.events import (
    CommandRan,
    Event,
    LabUp,
    Mismatch,
    ScenarioFinished,
    ScenarioSkipped,
    ScenarioStarted,
    Status,
    StepFinished,
    StepStarted,
    to_json,
)
from lab.model.scenario import Backend, Scenario, Step
from lab.model.topology import Command
from lab.run.drawing import draw
from lab.run.legacy import missing_tables
from lab.sandbox.lab import Lab
from lab.steps.deadline import Deadline
from lab.steps.failure import StepFailed, how_it_ended, last_words
from lab.steps.perform import deaths, perform
from lab.steps.shell import run_script
from lab.steps.stage import Patience, Stage

# a topology's commands have no deadline of their own
_EXEC_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Variant:
    """One scenario with one value of each axis of its matrix; ``number`` counts within a run."""

    number: int
    scenario: Scenario
    backend: Backend

    def includes(self, step: Step) -> bool:
        """Whether the step is meant for this variant (its ``when``)."""
        values = {"iptables": str(self.backend)}
        return all(values.get(axis) in wanted for axis, wanted in step.when)


@dataclass(slots=True)
class _Tally:
    counts: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    stopped_by: str = ""


def run_variant(variant: Variant, events: int, *, fail_fast: bool, patience: Patience) -> int:
    """Run a variant, writing its events to a descriptor; the exit code is always 0.

    What a step shows, and what breaks the run, is in the events.
    """

    def emit(event: Event) -> None:
        _write_all(events, (to_json(event) + "\n").encode())

    started = time.monotonic()
    lack = missing_tables() if variant.backend is Backend.LEGACY else None
    if lack is not None:
        emit(_skipped(variant, *lack))
        return 0
    steps = [step for step in variant.scenario.steps if variant.includes(step)]
    emit(_started(variant, len(steps)))
    tally = _Tally()
    broken = ""
    try:
        _run(variant, steps, tally, emit, fail_fast=fail_fast, patience=patience)
    except LabError as error:
        broken = str(error)
    emit(
        ScenarioFinished(
            lab=variant.number,
            scenario=variant.scenario.name,
            iptables=variant.backend,
            passed=tally.counts[Status.PASSED],
            failed=tally.counts[Status.FAILED],
            skipped=tally.counts[Status.SKIPPED],
            seconds=time.monotonic() - started,
            broken=broken,
        )
    )
    return 0


def _run(
    variant: Variant,
    steps: list[Step],
    tally: _Tally,
    emit: Callable[[Event], None],
    *,
    fail_fast: bool,
    patience: Patience,
) -> None:
    started = time.monotonic()
    scenario = variant.scenario
    lab = Lab(scenario.topology, os.path.dirname(scenario.path))
    stage = Stage(lab, scenario, variant.number, emit, patience)
    try:
        failure = _topology_commands(stage)
        nodes = len(scenario.topology.nodes)
        emit(LabUp(lab=variant.number, seconds=time.monotonic() - started, nodes=nodes))
        if failure is not None:
            emit(failure)
            tally.counts[Status.FAILED] += 1
            tally.stopped_by = "the topology's commands failed"
        for step in steps:
            _step(step, stage, tally, fail_fast=fail_fast)
    finally:
        stage.close()
        lab.close()


def _step(step: Step, stage: Stage, tally: _Tally, *, fail_fast: bool) -> None:
    started = time.monotonic()
    reason = tally.stopped_by
    wrong: tuple[Mismatch, ...] = ()
    status = Status.SKIPPED
    if not reason:
        stage.emit(
            StepStarted(
                lab=stage.number,
                step=step.number,
                name=step.name,
                verb=step.verb,
                on=step.on or "",
                line=step.location.line,
            )
        )
        try:
            wrong = perform(step, stage)
            reason = deaths(stage)
            status = Status.FAILED if wrong or reason else Status.PASSED
        except StepFailed as failure:
            reason, status = str(failure), Status.FAILED
        except Missing as lack:
            # only this step needs it, so only this step goes without
            reason, status = str(lack), Status.SKIPPED
    tally.counts[status] += 1
    if status is Status.FAILED and (fail_fast or step.changes or deaths(stage)):
        tally.stopped_by = f"step {step.number} failed: {step.name}"
    stage.emit(
        StepFinished(
            lab=stage.number,
            step=step.number,
            name=step.name,
            verb=step.verb,
            status=status,
            seconds=time.monotonic() - started,
            location=str(step.location),
            reason=reason,
            proves=step.proves,
            mismatches=wrong,
        )
    )


def _topology_commands(stage: Stage) -> StepFinished | None:
    """Run the nodes' ``exec`` lines; the first that fails, as the failure of a step 0."""
    for node in stage.scenario.topology.nodes:
        for command in node.exec:
            failed = _topology_command(stage, node.name, command)
            if failed is not None:
                return failed
    return None


def _topology_command(stage: Stage, node: str, command: Command) -> StepFinished | None:
    started = time.monotonic()
    deadline = Deadline.after(_EXEC_SECONDS)
    ended, _ = run_script(stage.lab, node, command.text, deadline)
    stage.emit(
        CommandRan(
            lab=stage.number,
            step=0,
            node=node,
            command=command.text,
            exit=ended.code,
            stdout=ended.stdout,
            stderr=ended.stderr,
        )
    )
    if ended.code == 0 and not ended.timed_out:
        return None
    how = "killed at the deadline" if ended.timed_out else how_it_ended(ended.code)
    return StepFinished(
        lab=stage.number,
        step=0,
        name=f"the topology's commands on {node}",
        verb="exec",
        status=Status.FAILED,
        seconds=time.monotonic() - started,
        location=str(command.location),
        reason=f"{command.text}\n{how}: {last_words(ended.stderr)}".rstrip(": "),
    )


def _started(variant: Variant, steps: int) -> ScenarioStarted:
    scenario = variant.scenario
    return ScenarioStarted(
        lab=variant.number,
        scenario=scenario.name,
        title=scenario.title,
        path=scenario.path,
        iptables=variant.backend,
        topology=scenario.topology.name,
        drawing=draw(scenario.topology),
        notes=scenario.topology.notes,
        steps=steps,
    )


def _skipped(variant: Variant, reason: str, command: str) -> ScenarioSkipped:
    return ScenarioSkipped(
        lab=variant.number,
        scenario=variant.scenario.name,
        path=variant.scenario.path,
        iptables=variant.backend,
        reason=reason,
        command=command,
    )


def _write_all(descriptor: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]
