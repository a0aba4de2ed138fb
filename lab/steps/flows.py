"""``connect`` and ``ping``: send flows from a node, and gather what each side saw of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lab.model.address import render
from lab.model.events import Flow
from lab.model.events import ServerSeen as ServerEvent
from lab.model.expectation import Outcome
from lab.model.scenario import Connect, Ping, Step
from lab.observe.seen import FlowSeen, ServerView
from lab.steps import tcp, udp
from lab.steps.deadline import Deadline
from lab.steps.failure import StepFailed
from lab.steps.ping import ping
from lab.steps.sender import Waiting
from lab.steps.server import Server
from lab.steps.stage import Stage


def connect(step: Step, action: Connect, stage: Stage, deadline: Deadline) -> tuple[FlowSeen, ...]:
    """Send the step's flows one after the other; each with what its sender and its server saw.

    StepFailed if they cannot be sent, or not all of them before the deadline.
    """
    waiting = Waiting.of(step, stage, deadline)
    _take_views(stage, action.proto)
    send = _tcp if action.proto == "tcp" else _udp
    flows = (send(action, waiting) for _ in range(action.times))
    return _in_time(flows, action.times, step, stage, deadline)


def echo(step: Step, action: Ping, stage: Stage, deadline: Deadline) -> tuple[FlowSeen, ...]:
    """Send the step's echo requests; StepFailed as for ``connect``."""
    identifier = (stage.number * 1000 + step.number) & 0xFFFF
    flows = ping(action, Waiting.of(step, stage, deadline), identifier)
    return _in_time(flows, action.count, step, stage, deadline)


def _in_time(
    flows: Iterator[FlowSeen], count: int, step: Step, stage: Stage, deadline: Deadline
) -> tuple[FlowSeen, ...]:
    """Send flow after flow; one that began after the deadline would only seem to be silent."""
    sent: list[FlowSeen] = []
    for seen in flows:
        sent.append(seen)
        if deadline.passed and len(sent) < count:
            tell(step, sent, stage)
            raise StepFailed(
                f"only {len(sent)} of {count} flows were sent before the deadline of"
                f" {step.timeout:g} s, the last one: {seen}"
            )
    return tuple(sent)


def _tcp(action: Connect, waiting: Waiting) -> FlowSeen:
    tried = tcp.attempt(action, waiting)
    stage = waiting.stage
    # a service may have more to say than anybody wants to hear
    end = waiting.deadline.earlier(stage.patience.answer)
    answering: list[tuple[Server, ServerView]] = []
    try:
        if tried.connected and action.payload:
            tried.say(action.payload, waiting)
        while tried.connected and not end.passed:
            heard = waiting.for_words(tried.channel, of_a_server=bool(answering))
            news = _take_views(stage, "tcp")
            answering += news
            if not (tried.hear() if heard else news) or _is_answered(answering, tried.said):
                break
    finally:
        if tried.connected and any(server.holds for server, _ in answering):
            stage.held.append(tried.channel)
        else:
            tried.close()
    return _with_server(tried.seen, answering)


def _is_answered(answering: list[tuple[Server, ServerView]], said: bytes) -> bool:
    """Whether a server that keeps its connections open has said its line: no more will come."""
    return said.endswith(b"\n") and any(server.holds for server, _ in answering)


def _udp(action: Connect, waiting: Waiting) -> FlowSeen:
    seen = udp.exchange(action, waiting)
    return _with_server(seen, _take_views(waiting.stage, "udp"))


def _with_server(seen: FlowSeen, answering: list[tuple[Server, ServerView]]) -> FlowSeen:
    """Add what a test server logged of this flow: it logs before it answers."""
    return replace(seen, server=answering[-1][1]) if answering else seen


def _take_views(stage: Stage, proto: str) -> list[tuple[Server, ServerView]]:
    return [
        (server, view)
        for server in stage.servers
        for logged, view in server.take_views()
        if logged == proto
    ]


def tell(step: Step, flows: Iterable[FlowSeen], stage: Stage) -> None:
    """Report flows of a step that sends some."""
    action = step.action
    if not isinstance(action, Connect | Ping):
        return
    for seen in flows:
        stage.emit(
            Flow(
                lab=stage.number,
                step=step.number,
                proto=action.proto if isinstance(action, Connect) else "icmp",
                node=action.node,
                to=action.to.text,
                target=render(action.to.ip, action.to.port),
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
