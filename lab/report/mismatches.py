"""Why a step failed: what was expected beside what was observed, and where that is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lab.model.events import Flow, Mismatch, StepFinished
from lab.report.lines import Line, Page, Span, Style, cells, padded
from lab.report.places import shown_place

_INDENT = "      "
_GAP = "  "
_NOTHING = "(nothing)"


def failure_lines(step: StepFinished, flows: Iterable[Flow], page: Page, cwd: str) -> list[Line]:
    """Lay out a failure: its reason, the fields that differ, the addresses tried, the place.

    ``cwd`` is the folder that paths are told from.
    """
    lines = [Line.of(_INDENT + line, Style.BAD) for line in step.reason.splitlines()]
    lines += _tried(flows)
    lines += _fields(step.mismatches, page)
    places = [mismatch.location for mismatch in step.mismatches if mismatch.location]
    for place in dict.fromkeys(places or [step.location]):
        lines.append(Line.of(f"{_INDENT}at {shown_place(place, cwd)}", Style.DIM))
    return [part for line in lines for part in page.fit(line, hang=len(_INDENT) + 2)]


def headline(step: StepFinished) -> str:
    """A failure in one line."""
    if step.reason:
        return step.reason.splitlines()[0]
    return "; ".join(
        f"{mismatch.field}: expected {_one_line(mismatch.expected)}, "
        f"observed {_one_line(mismatch.observed)}"
        for mismatch in step.mismatches
    )


def _one_line(value: str) -> str:
    return " ".join(value.split()) or _NOTHING


def _tried(flows: Iterable[Flow]) -> list[Line]:
    """Tell the addresses that stand behind what the user wrote."""
    tried = dict.fromkeys((flow.to, flow.target) for flow in flows if flow.to != flow.target)
    return [Line.of(f"{_INDENT}tried {target} for {to}") for to, target in tried if to]


def _fields(mismatches: Sequence[Mismatch], page: Page) -> list[Line]:
    """A table where it fits into the page, otherwise the fields one below the other."""
    if not mismatches:
        return []
    rows = [
        (
            mismatch.field,
            mismatch.expected.splitlines() or [_NOTHING],
            mismatch.observed.splitlines() or [_NOTHING],
        )
        for mismatch in mismatches
    ]
    if all(len(expected) == len(observed) == 1 for _, expected, observed in rows):
        table = _table([(name, expected[0], observed[0]) for name, expected, observed in rows])
        if max(line.cells for line in table) <= page.width:
            return table
    return [line for row in rows for line in _stacked(*row)]


def _table(rows: Sequence[tuple[str, str, str]]) -> list[Line]:
    names = max(cells(name) for name, _, _ in rows)
    values = max(cells(expected) for expected in ("expected", *(row[1] for row in rows)))
    start = _INDENT + " " * names + _GAP
    lines = [Line.of(f"{start}{padded('expected', values)}{_GAP}observed", Style.DIM)]
    for name, expected, observed in rows:
        label = Span(_INDENT + padded(name, names) + _GAP)
        wanted = Span(padded(expected, values) + _GAP, Style.GOOD)
        lines.append(Line((label, wanted, Span(observed, Style.BAD))))
    return lines


def _stacked(name: str, expected: Sequence[str], observed: Sequence[str]) -> list[Line]:
    lines = [Line.of(_INDENT + name)]
    sides = (("expected", expected, Style.GOOD), ("observed", observed, Style.BAD))
    for head, values, style in sides:
        for number, value in enumerate(values):
            label = head if number == 0 else " " * len(head)
            lines.append(Line((Span(f"{_INDENT}  {label}  ", Style.DIM), Span(value, style))))
    return lines
