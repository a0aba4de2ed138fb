"""How a run reads on a terminal: scenarios, steps and sums as lines of styled text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from lab.model.events import (
    CommandRan,
    Flow,
    LabUp,
    Observation,
    RunFinished,
    RunStarted,
    ScenarioSkipped,
    ScenarioStarted,
    Status,
    StepFinished,
)
from lab.report.flows import command_lines, evidence_lines
from lab.report.lines import Line, Page, Span, Style, cells, folded, padded
from lab.report.mismatches import failure_lines
from lab.report.places import shown_place
from lab.report.readable import duration

_INDENT = "    "
# Times stand at the right edge, but not so far out that the eye loses the line.
_TIMES_END = 100
_STYLES = {Status.PASSED: Style.GOOD, Status.FAILED: Style.BAD, Status.SKIPPED: Style.SKIPPED}
_MARKS = {Status.PASSED: "✓", Status.FAILED: "✗", Status.SKIPPED: "–"}
_ASCII_MARKS = {Status.PASSED: "ok", Status.FAILED: "FAIL", Status.SKIPPED: "skip"}

Detail = CommandRan | Flow | Observation
_D = TypeVar("_D", CommandRan, Flow, Observation)


@dataclass(frozen=True, slots=True)
class Failure:
    """A line of the closing summary: a step that failed, or a lab that broke."""

    place: str
    what: str
    variant: str


def mark(status: Status, page: Page) -> Span:
    """The sign in front of a step."""
    text = _MARKS[status] if page.unicode else _ASCII_MARKS[status]
    return Span(text, _STYLES[status])


def variant_name(scenario: str, iptables: str) -> str:
    """The name of a scenario in one variant of its matrix: ``port-forward[nft]``."""
    return f"{scenario}[{iptables}]"


def run_heading(event: RunStarted) -> list[Line]:
    """What runs, and on which kernel."""
    return [Line.of(f"natlab {event.version} on Linux {event.kernel}", Style.DIM), Line()]


def scenario_heading(event: ScenarioStarted, page: Page, *, drawing: bool) -> list[Line]:
    """The scenario's name, variant and title, its topology drawn, and what is emulated."""
    lines = heading(event.scenario, event.iptables, event.title, page)
    if drawing and event.drawing:
        lines += [Line(), *_drawing(event.drawing, page), Line()]
    for note in event.notes:
        lines += page.fit(Line.of(f"  note: {note}", Style.DIM), hang=8)
    return lines


def _drawing(rows: Sequence[str], page: Page) -> list[Line]:
    """The topology; a torn drawing would be worse than none."""
    lines = [Line.of(f"  {row}") for row in rows]
    width = max(line.cells for line in lines)
    if page.fits and width > page.width:
        text = f"  (the drawing of the topology needs {width} columns)"
        return page.fit(Line.of(text, Style.DIM), hang=3)
    return lines


def heading(scenario: str, iptables: str, title: str, page: Page) -> list[Line]:
    """The line that a variant's block begins with."""
    name = Span(scenario, Style.HEADING)
    variant = Span(f"  [iptables {iptables}]", Style.DIM)
    return page.fit(Line((name, variant, Span(f"  {title}"))), hang=4)


def lab_up_line(event: LabUp) -> Line:
    """How fast the topology came up."""
    nodes = "1 node" if event.nodes == 1 else f"{event.nodes} nodes"
    return Line.of(f"  {nodes} up in {duration(event.seconds)}", Style.DIM)


def step_lines(
    step: StepFinished, details: Sequence[Detail], page: Page, *, verbose: bool, cwd: str
) -> list[Line]:
    """A step's mark, sentence and time, then what it did, saw and missed."""
    flows = _only(Flow, details)
    lines = _step_heading(step, page)
    if verbose:
        lines += command_lines(_only(CommandRan, details), page)
    lines += evidence_lines(flows, _only(Observation, details), page, all_of_them=verbose)
    if step.status is Status.FAILED:
        return lines + failure_lines(step, flows, page, cwd)
    for row in step.reason.splitlines():
        lines += page.fit(Line.of(f"{_INDENT}  {row}", Style.DIM), hang=8)
    return lines


def _only(kind: type[_D], details: Sequence[Detail]) -> list[_D]:
    return [detail for detail in details if isinstance(detail, kind)]


def _step_heading(step: StepFinished, page: Page) -> list[Line]:
    """The sentence, folded beside its time, which stands at the right."""
    sign = mark(step.status, page)
    hang = 2 + cells(sign.text) + 1
    time = "" if step.status is Status.SKIPPED else duration(step.seconds)
    room = max(min(page.width, _TIMES_END) - hang - len(time) - 2, 10)
    first, *rest = folded(Line.of(step.name), room, 0) if page.fits else [Line.of(step.name)]
    heading = (Span("  "), sign, Span(f" {padded(str(first), room)}  "), Span(time, Style.DIM))
    return [Line(heading), *(Line.of(f"{' ' * hang}{line}") for line in rest)]


def cut_short_lines(name: str, details: Sequence[Detail], page: Page) -> list[Line]:
    """A step that was under way when the run ended, and what it had shown by then."""
    flows, observations = _only(Flow, details), _only(Observation, details)
    return [
        *page.fit(Line((Span("  ! ", Style.BAD), Span(name))), hang=4),
        *evidence_lines(flows, observations, page, all_of_them=False),
        Line.of(f"{_INDENT}  not finished", Style.DIM),
    ]


def skipped_variant_lines(event: ScenarioSkipped, page: Page) -> list[Line]:
    """A variant that cannot run here: why, and what would cure it."""
    lines = heading(event.scenario, event.iptables, "", page)
    sign = mark(Status.SKIPPED, page)
    hang = 2 + cells(sign.text) + 1
    first, *rest = event.reason.splitlines() or ["no reason given"]
    if event.command:
        rest.append(f"get it with: {event.command}")
    lines += page.fit(Line((Span("  "), sign, Span(f" not run: {first}"))), hang)
    for row in rest:
        lines += page.fit(Line.of(" " * hang + row), hang + 2)
    return lines


def broken_lines(reason: str, page: Page) -> list[Line]:
    """Why a lab broke, where the run itself did and not an expectation."""
    first, *rest = reason.splitlines() or [""]
    lines = [Line.of(f"  the lab broke: {first}", Style.BAD)]
    lines += [Line.of(f"{_INDENT}{row}", Style.BAD) for row in rest]
    return [part for line in lines for part in page.fit(line, hang=4)]


def summary_lines(failures: Sequence[Failure], page: Page, cwd: str) -> list[Line]:
    """One line for each failure, its place first, as editors and compilers have it."""
    sign = mark(Status.FAILED, page)
    lines: list[Line] = []
    for failure in failures:
        place = Span(f" {shown_place(failure.place, cwd)} ")
        variant = Span(f" {failure.variant}", Style.DIM)
        lines += page.fit(Line((sign, place, Span(failure.what), variant)), hang=4)
    return lines


def counts_line(event: RunFinished) -> Line:
    """The last line of a run: ``N passed, N failed, N skipped``."""
    colours = (
        (event.passed, "passed", Style.GOOD),
        (event.failed, "failed", Style.BAD),
        (event.skipped, "skipped", Style.SKIPPED),
    )
    spans: list[Span] = []
    for number, word, style in colours:
        spans.append(Span(", " if spans else ""))
        spans.append(Span(f"{number} {word}", style if number else Style.PLAIN))
    return Line(tuple(spans))
