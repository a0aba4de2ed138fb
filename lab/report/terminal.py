"""The report that a person reads: each lab as one block, in order, and the sums at the end."""

from __future__ import annotations

from lab.model.events import (
    CommandRan,
    Event,
    Flow,
    LabUp,
    Observation,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioSkipped,
    ScenarioStarted,
    Status,
    StepFinished,
    StepStarted,
)
from lab.report.layout import (
    Detail,
    Failure,
    broken_lines,
    counts_line,
    cut_short_lines,
    heading,
    lab_up_line,
    run_heading,
    scenario_heading,
    skipped_variant_lines,
    step_lines,
    summary_lines,
    variant_name,
)
from lab.report.lines import Line, Style
from lab.report.places import current_folder
from lab.report.printers import Printer
from lab.report.readable import readable
from lab.report.stream import InOrder


class Terminal:
    """Reads events in any order of labs and prints them lab by lab.

    A step is printed when it ends, with its flows and observations; ``verbose`` adds the commands
    that ran. Paths are told from ``cwd``, the current folder unless given.
    """

    def __init__(self, printer: Printer, *, verbose: bool = False, cwd: str | None = None) -> None:
        self._printer = printer
        self._verbose = verbose
        self._cwd = current_folder() if cwd is None else cwd
        self._order = InOrder()
        self._scenario: ScenarioStarted | None = None
        self._drawing: tuple[str, ...] = ()
        self._step: StepStarted | None = None
        self._details: list[Detail] = []
        self._failures: list[Failure] = []
        self._blocks = 0

    def event(self, event: Event) -> None:
        """Show an event, or keep it until its lab's turn; OSError where the stream refuses."""
        for ready in self._order.take(event):
            self._show(readable(ready, unicode=self._printer.page.unicode))

    def pause(self) -> None:
        """Take the spinner away, for somebody else is about to write to the terminal."""
        self._printer.doing("")

    def close(self) -> None:
        """End the progress line; the sums were the last event's."""
        self._printer.doing("")

    def _show(self, event: Event) -> None:
        match event:
            case RunStarted():
                if self._verbose:
                    self._printer.show(run_heading(event))
            case ScenarioStarted():
                self._start_scenario(event)
            case LabUp():
                self._printer.show([lab_up_line(event)])
            case StepStarted():
                self._step, self._details = event, []
                self._doing(event.name)
            case CommandRan() | Flow() | Observation():
                self._details.append(event)
            case StepFinished():
                self._finish_step(event)
            case ScenarioSkipped():
                self._separate(skipped_variant_lines(event, self._printer.page))
            case ScenarioFinished():
                self._finish_scenario(event)
            case RunFinished():
                self._finish_run(event)

    def _doing(self, what: str) -> None:
        if self._scenario is not None:
            name = variant_name(self._scenario.scenario, self._scenario.iptables)
            self._printer.doing(f"{name}: {what}")

    def _separate(self, lines: list[Line]) -> None:
        """Print the first lines of a block, an empty line between it and the block before."""
        self._printer.show([Line(), *lines] if self._blocks else lines)
        self._blocks += 1

    def _start_scenario(self, event: ScenarioStarted) -> None:
        self._cut_short()
        self._scenario = event
        # The variants of one scenario share a topology: drawn once, it need not be drawn again.
        new = event.drawing != self._drawing
        self._drawing = event.drawing
        self._separate(scenario_heading(event, self._printer.page, drawing=new))
        self._doing("building the topology")

    def _finish_step(self, step: StepFinished) -> None:
        if step.status is Status.FAILED:
            self._failures.append(Failure(step.location, step.name, self._variant()))
        details, self._step, self._details = self._details, None, []
        self._printer.show(
            step_lines(step, details, self._printer.page, verbose=self._verbose, cwd=self._cwd)
        )

    def _variant(self) -> str:
        return f"[{self._scenario.iptables}]" if self._scenario is not None else ""

    def _finish_scenario(self, event: ScenarioFinished) -> None:
        self._cut_short()
        if event.broken:
            if self._scenario is None:
                # It died before it could say that it started.
                self._separate(heading(event.scenario, event.iptables, "", self._printer.page))
            place = event.scenario if self._scenario is None else self._scenario.path
            what = f"the lab broke: {event.broken.splitlines()[0]}"
            self._failures.append(Failure(place, what, f"[{event.iptables}]"))
            self._printer.show(broken_lines(event.broken, self._printer.page))
        self._scenario = None

    def _cut_short(self) -> None:
        """Show a step that never ended."""
        if self._step is not None:
            lines = cut_short_lines(self._step.name, self._details, self._printer.page)
            self._step, self._details = None, []
            self._printer.show(lines)

    def _finish_run(self, event: RunFinished) -> None:
        self._cut_short()
        lines: list[Line] = [Line()] if self._blocks else []
        if self._failures:
            lines += [*summary_lines(self._failures, self._printer.page, self._cwd), Line()]
        if event.interrupted:
            lines.append(Line.of("interrupted", Style.BAD))
        self._printer.show([*lines, counts_line(event)])
