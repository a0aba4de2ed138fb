"""What a step did and saw, as rows: the tuples of its flows, its observations, its commands."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.model.events import CommandRan, Flow, Observation
from lab.report.lines import Line, Page, Span, Style, cells, padded

# A step that sends a hundred flows shows the first of them; -v shows all.
_SHOWN = 10
# A conntrack entry as the kernel writes it takes three lines of 80 columns.
_LINES_OF_OBSERVATION = 3
_INDENT = "      "
_GAP = "  "

# What strerror(3) has to say of these outcomes is the outcome.
_NOTHING_NEW = frozenset({("refused", "Connection refused"), ("reset", "Connection reset by peer")})


@dataclass(frozen=True, slots=True)
class _Row:
    """Who saw it, what, and what came of it."""

    who: str
    what: str
    result: str = ""
    style: Style = Style.PLAIN


def evidence_lines(
    flows: Sequence[Flow], observations: Sequence[Observation], page: Page, *, all_of_them: bool
) -> list[Line]:
    """Lay out a step's flows and observations, node names and tuples in columns.

    Flows are shown whole; an observation is dim, and cut after a few lines where lines must fit.
    """
    shown = len(flows) if all_of_them else _SHOWN
    flow_rows = [row for flow in flows[:shown] for row in _flow_rows(flow)]
    seen = len(observations) if all_of_them else _SHOWN
    kind = max((cells(item.kind) for item in observations[:seen]), default=0)
    observation_rows = [_observation_row(item, kind) for item in observations[:seen]]
    rows = [*flow_rows, *observation_rows]
    who = max((cells(row.who) for row in rows), default=0)
    what = max((cells(row.what) for row in rows if row.result), default=0)
    lines: list[Line] = []
    for number, row in enumerate(rows):
        lines += _row_lines(row, who, what, page)
        if number + 1 == len(flow_rows):
            lines += _more(len(flows) - shown, "flows")
    return lines + _more(len(observations) - seen, "observations")


def _more(number: int, what: str) -> list[Line]:
    if number <= 0:
        return []
    return [Line.of(f"{_INDENT}and {number} more {what} (-v shows them)", Style.DIM)]


def _flow_rows(flow: Flow) -> list[_Row]:
    # TCP goes without saying, as it does in a scenario's `connect`.
    proto = "" if flow.proto == "tcp" else f"{flow.proto} "
    source = flow.source or "*"
    rows = [_Row(flow.node, f"{proto}{source} > {flow.target}", outcome_words(flow))]
    server = flow.server
    if server is not None:
        original = server.original or server.errno
        rows.append(
            _Row(
                server.node,
                f"{proto}{server.source} > {server.dest}",
                f"original dest {original}" if original else "",
            )
        )
    if flow.answer_source and _answer_differs(flow):
        answer = f"{proto}{flow.answer_source} > {flow.answer_dest or '*'}"
        rows.append(_Row(flow.node, answer, "the answer"))
    return rows


def _answer_differs(flow: Flow) -> bool:
    """Whether the answer's tuple says more than that the flow's own came back reversed."""
    return (flow.answer_source, flow.answer_dest or flow.source) != (flow.target, flow.source)


def outcome_words(flow: Flow) -> str:
    """The outcome in words, with how it is known: ``no answer (timed out)``."""
    words = flow.outcome.replace("-", " ")
    detail = "" if (flow.outcome, flow.detail) in _NOTHING_NEW else flow.detail
    reasons = ", ".join(reason for reason in (flow.evidence, detail) if reason)
    return f"{words} ({reasons})" if reasons else words


def _observation_row(observation: Observation, kind: int) -> _Row:
    text = " ".join(observation.text.split())
    what = f"{padded(observation.kind, kind)}{_GAP}{text}"
    return _Row(observation.node, what, style=Style.DIM)


def _row_lines(row: _Row, who: int, what: int, page: Page) -> list[Line]:
    start = _INDENT + padded(row.who, who) + _GAP
    spans = [Span(start + row.what, row.style)]
    if row.result:
        spans = [Span(start + padded(row.what, what) + _GAP, row.style), Span(row.result)]
    line = Line(tuple(spans))
    lines = page.fit(line, hang=len(start) + len(_GAP))
    if row.style is not Style.DIM or len(lines) <= _LINES_OF_OBSERVATION:
        return lines
    last = _LINES_OF_OBSERVATION - 1
    rest = Line(tuple(span for line in lines[last:] for span in line.spans))
    return [*lines[:last], page.cut(rest)]


def command_lines(commands: Iterable[CommandRan], page: Page) -> list[Line]:
    """Lay out commands as a terminal would have shown them, each with its exit code."""
    lines: list[Line] = []
    for ran in commands:
        prompt = f"{_INDENT}{ran.node}# "
        first, *rest = ran.command.splitlines() or [""]
        script = [prompt + first, *(" " * cells(prompt) + line for line in rest)]
        lines += map(Line.of, script[:-1])
        lines.append(Line((Span(script[-1]), Span(_GAP + exit_words(ran.exit), Style.DIM))))
        for output in (ran.stdout, ran.stderr):
            lines += [Line.of(f"{_INDENT}  {line}", Style.DIM) for line in output.splitlines()]
    return [part for line in lines for part in page.fit(line, hang=len(_INDENT) + 4)]


def exit_words(code: int) -> str:
    """Say how a command ended: ``exit 2``, or the signal that ended it."""
    if code >= 0:
        return f"exit {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
