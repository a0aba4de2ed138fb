"""Carrying a step out: act, look, compare, and try again while the step allows it."""

from __future__ import annotations

import select
from dataclasses import replace

from lab.model.events import Mismatch, Observation
from lab.model.expectation import OutcomeIs
from lab.model.scenario import Check, Connect, Ping, Restore, Run, Serve, Step
from lab.observe.evidence import evidence
from lab.observe.seen import Seen
from lab.observe.verdict import mismatches
from lab.steps import flows, shell
from lab.steps.capture import Capture
from lab.steps.deadline import Deadline
from lab.steps.look import look, rules_before
from lab.steps.restore import restore
from lab.steps.server import Server
from lab.steps.stage import Stage

# What a step shows follows it by microseconds, on a busy machine by milliseconds; where the lab's
# processes have a part in it, it is not final before they rest.
_SETTLING = 0.1
_INTERVAL = 0.005


def perform(step: Step, stage: Stage) -> tuple[Mismatch, ...]:
    """Carry a step out; what did not hold, or StepFailed where it could not be done."""
    deadline = Deadline.after(step.timeout)
    retry = deadline.earlier(step.retry)
    while True:
        seen, wrong = _once(step, stage, deadline)
        if not wrong or retry.passed or step.changes:
            _tell(step, seen, stage)
            return wrong
        select.select([], [], [], min(_INTERVAL, retry.left))


def _once(step: Step, stage: Stage, deadline: Deadline) -> tuple[Seen, tuple[Mismatch, ...]]:
    before = rules_before(step, stage, deadline)
    capture = Capture(step, stage.taps)
    acted = replace(_act(step, stage, deadline), rules_before=before)
    # that a packet was not seen means nothing while one may still be on its way
    with stage.backlog.on_one_cpu():
        stage.backlog.drain()
    settling = deadline.earlier(_SETTLING)
    limit = deadline.earlier(stage.patience.restless)
    while True:
        seen = _with_tables(acted, look(step, stage, deadline), capture)
        wrong = tuple(each for expected in step.expect for each in mismatches(expected, seen))
        if not wrong or limit.passed or _is_settled(step, acted):
            return seen, wrong
        if settling.passed and stage.is_quiet():
            return seen, wrong
        select.select([], [], [], _INTERVAL)


def _act(step: Step, stage: Stage, deadline: Deadline) -> Seen:
    match step.action:
        case Run():
            return shell.run(step, step.action, stage, deadline)
        case Serve():
            server = Server(stage.lab, step.node, step.action, step.number, deadline)
            stage.servers.append(server)
        case Restore():
            restore(step, step.action, stage, deadline)
        case Connect():
            return Seen(flows=flows.connect(step, step.action, stage, deadline))
        case Ping():
            return Seen(flows=flows.echo(step, step.action, stage, deadline))
        case Check():
            pass
    return Seen()


def _with_tables(acted: Seen, looked: Seen, capture: Capture) -> Seen:
    return replace(
        looked,
        flows=acted.flows,
        exit=acted.exit,
        stdout=acted.stdout,
        rules_before=acted.rules_before,
        packets=capture.packets(),
        lost=capture.lost(),
    )


def _is_settled(step: Step, acted: Seen) -> bool:
    """Whether looking again can change nothing: the outcome itself is already another one."""
    return any(
        mismatches(expected, acted) for expected in step.expect if isinstance(expected, OutcomeIs)
    )


def _tell(step: Step, seen: Seen, stage: Stage) -> None:
    """Report the flows, and what the step looked at besides."""
    flows.tell(step, seen.flows, stage)
    for expected in step.expect:
        for kind, node, text in evidence(expected, seen):
            where = node or step.on or ""
            stage.emit(
                Observation(lab=stage.number, step=step.number, kind=kind, node=where, text=text)
            )


def deaths(stage: Stage) -> str:
    """Which of the lab's own processes have ended though nothing asked them to."""
    told = [server.death() for server in stage.servers]
    told += [background.death() for background in stage.backgrounds.values()]
    return "\n".join(text for text in told if text)
