"""``connect`` and ``ping``: send flows from a node, and gather what each side saw of them."""

from __future__ import annotations

from dataclasses import replace

from lab.model.events import Flow
from lab.model.events import ServerSeen as ServerEvent
from lab.model.expectation import Outcome
from lab.model.scenario import Connect, Ping, Step
from lab.observe.seen import FlowSeen, ServerView
from lab.steps import tcp, udp
from lab.steps.deadline import Deadline
from lab.steps.ping import ping
from lab.steps.sender import Waiting
from lab.steps.stage import Stage

# A server that the lab did not start may wait for us to speak; its greeting gets this long.
_GREETING = 0.25


def connect(step: Step, action: Connect, stage: Stage, deadline: Deadline) -> tuple[FlowSeen, ...]:
    """Send the step's flows one after the other; each with what its sender and its server saw."""
    waiting = Waiting.of(step, stage, deadline)
    _take_views(stage)
    send = _tcp if action.proto == "tcp" else _udp
    flows = tuple(send(action, waiting) for _ in range(action.times))
    _tell(step, action.proto, action, flows, stage)
    return flows


def echo(step: Step, action: Ping, stage: Stage, deadline: Deadline) -> tuple[FlowSeen, ...]:
    """Send the step's echo requests."""
    identifier = (stage.number * 1000 + step.number) & 0xFFFF
    flows = tuple(ping(action, Waiting.of(step, stage, deadline), identifier))
    _tell(step, "icmp", action, flows, stage)
    return flows


def _tcp(action: Connect, waiting: Waiting) -> FlowSeen:
    attempt = tcp.attempt(action, waiting)
    try:
        if not attempt.connected:
            return attempt.seen
        stage = waiting.stage
        patience = stage.patience.answer if stage.servers else _GREETING
        held = any(server.holds for server in stage.servers)
        end = waiting.deadline.earlier(patience)
        tcp.converse(attempt, action.payload, end, one_line=held)
        return _with_server(attempt.seen, "tcp", stage)
    finally:
        attempt.close()


def _udp(action: Connect, waiting: Waiting) -> FlowSeen:
    return _with_server(udp.exchange(action, waiting), "udp", waiting.stage)


def _with_server(seen: FlowSeen, proto: str, stage: Stage) -> FlowSeen:
    """Add what a test server logged of this flow: it logs before it answers."""
    views = [view for logged, view in _take_views(stage) if logged == proto]
    return replace(seen, server=views[-1]) if views else seen


def _take_views(stage: Stage) -> list[tuple[str, ServerView]]:
    return [view for server in stage.servers for view in server.take_views()]


def _tell(
    step: Step, proto: str, action: Connect | Ping, flows: tuple[FlowSeen, ...], stage: Stage
) -> None:
    target = f"{action.to.ip}"
    if action.to.port is not None:
        target = f"[{target}]" if ":" in target else target
        target = f"{target}:{action.to.port}"
    for seen in flows:
        stage.emit(
            Flow(
                lab=stage.number,
                step=step.number,
                proto=proto,
                node=action.node,
                to=action.to.text,
                target=target,
                outcome=seen.outcome,
                evidence=seen.evidence,
                detail=_detail(seen),
                source=_text(seen.source),
                answer_source=_text(seen.answer.source if seen.answer else None),
                answer_dest=_text(seen.answer.dest if seen.answer else None),
                server=_server_event(seen.server),
            )
        )


def _detail(seen: FlowSeen) -> str:
    """What the outcome alone does not say: which ICMP error, from whom, or the errno's words."""
    if seen.icmp:
        return f"{seen.icmp} from {seen.sender}" if seen.sender else seen.icmp
    return "" if seen.outcome is Outcome.REFUSED else seen.detail


def _text(address: object) -> str:
    return "" if address is None else str(address)


def _server_event(view: ServerView | None) -> ServerEvent | None:
    if view is None:
        return None
    return ServerEvent(
        node=view.node,
        source=str(view.source),
        dest=str(view.dest),
        original=_text(view.original),
        errno=view.errno,
    )
