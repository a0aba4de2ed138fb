"""All outputs of one run together: the terminal report, and the files that were asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

from lab.model.errors import Broken, ExitCode
from lab.model.events import Event, RunFinished
from lab.report.files import check_writable, open_lines
from lab.report.json_lines import JsonLines
from lab.report.printers import printer_for
from lab.report.readable import message
from lab.report.stream import FanOut, Reader
from lab.report.terminal import Terminal
from lab.run.tally import Tally


class OutputClosed(Exception):
    """Nobody reads the report any more, as when it goes into ``head``: the run should end."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to report besides the terminal's report: file names, ``-`` for standard output.

    ``verbose`` adds the commands that ran to the terminal's report.
    """

    junit: str | None = None
    json: str | None = None
    verbose: bool = False


class Outputs:
    """Reads a run's events into every output, and ends them all properly however the run ends."""

    def __init__(self, files: FanOut, terminal: Terminal, messages: TextIO) -> None:
        self._files = files
        self._terminal: Terminal | None = terminal
        self._messages = messages
        self._tally = Tally()

    def event(self, event: Event) -> None:
        """Hand an event to every output.

        The run's last event waits for ``end``: nothing may follow the line that it makes. Raises
        OutputClosed where a pipe has lost its reader, Broken where an output cannot be written.
        """
        self._tally.event(event)
        if isinstance(event, RunFinished):
            return
        try:
            _written(lambda: self._files.event(event))
        finally:
            self._show(event)

    def _show(self, event: Event) -> None:
        if (terminal := self._terminal) is None:
            return
        try:
            _written(lambda: terminal.event(event))
        except Exception:
            self._terminal = None
            raise

    def tell(self, text: str) -> None:
        """Write a message beside the report."""
        if self._terminal is not None:
            self._terminal.pause()
        with suppress(OSError):
            print(message(text), file=self._messages, flush=True)

    def end(self, *, interrupted: bool = False, broken: bool = False) -> ExitCode:
        """Finish the files and then the report, for a run cut short as for a whole one.

        Where nothing began and nothing was interrupted, as with a mistake in a scenario, there
        are no sums to tell. Returns OK, or what an output that cannot be finished ends in: the
        files come first, so that the sums are the last line in any case.
        """
        last = self._tally.last(interrupted=interrupted, broken=broken)
        told = self._tally.begun or interrupted
        code = ExitCode.OK
        if told:
            code = max(code, self._finish(lambda: self._files.event(last)))
        code = max(code, self._finish(self._files.close))
        if told:
            code = max(code, self._finish(lambda: self._show(last)))
        return code

    def _finish(self, write: Callable[[], None]) -> ExitCode:
        try:
            _written(write)
        except OutputClosed:
            return ExitCode.INTERRUPTED
        except Broken as error:
            self.tell(str(error))
            return error.exit_code
        return ExitCode.OK


def _written(write: Callable[[], None]) -> None:
    """Write something, an OSError saying what it means for the run."""
    try:
        write()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise Broken(f"cannot write the report: {error.strerror}") from error


def open_outputs(request: Request, stdout: TextIO, stderr: TextIO) -> Outputs:
    """Open what a run reports to; BadInput where a file cannot be written.

    The report goes to ``stdout``, or to ``stderr`` where JSON lines take standard output.
    """
    readers: list[Reader] = []
    report = stdout
    if request.junit is not None:
        from lab.report.junit import JUnit

        check_writable(request.junit, "--junit")
        readers.append(JUnit(request.junit))
    if request.json is not None:
        if request.json == "-":
            report = stderr
        readers.append(JsonLines(open_lines(request.json, "--json", stdout)))
    return Outputs(FanOut(readers), Terminal(printer_for(report), verbose=request.verbose), stderr)
