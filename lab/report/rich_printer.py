"""Colour, and a spinner for what takes over a second, on a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from lab.report.encoding import speaks_unicode
from lab.report.lines import Line, Page, Style, cells, trimmed
from lab.report.readable import duration

_COLOURS = {
    Style.PLAIN: "",
    Style.HEADING: "bold",
    Style.GOOD: "green",
    Style.BAD: "red",
    Style.SKIPPED: "yellow",
    Style.DIM: "dim",
}
_PATIENCE = 1.0
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_FRAMES = "|/-\\"


class RichPrinter:
    """Prints through rich, which knows NO_COLOR, dumb terminals and how many colours there are.

    The spinner lives in its own thread, as the run itself is waiting for the sandbox; it appears
    when one thing has been under way for a second and goes with the next line.
    """

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._unicode = speaks_unicode(stream.encoding or "utf-8")
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._live: Live | None = None
        self._shown = 0

    @property
    def page(self) -> Page:
        """The terminal as it is now: it may have been resized."""
        return Page(width=max(self._console.width, 20), fits=True, unicode=self._unicode)

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines where the spinner was."""
        self.doing("")
        self._console.print(Text("\n").join(map(_text, lines)), soft_wrap=True)

    def doing(self, what: str) -> None:
        """Take back the spinner, and show another if ``what`` is still true in a second."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._live is not None:
                self._live.stop()
                self._live = None
            self._shown += 1
            if what and not self._console.is_dumb_terminal:
                self._timer = threading.Timer(_PATIENCE, self._spin, (what, self._shown))
                self._timer.daemon = True
                self._timer.start()

    def _spin(self, what: str, number: int) -> None:
        with self._lock:
            if number != self._shown:
                return
            spinner = _Spinner(what, self.page)
            self._live = Live(spinner, console=self._console, transient=True, refresh_per_second=8)
            self._live.start()


class _Spinner:
    """One line: something that turns, what is under way, and for how long."""

    def __init__(self, what: str, page: Page) -> None:
        self._what = what
        self._page = page
        self._since = time.monotonic() - _PATIENCE

    def __rich__(self) -> Text:
        elapsed = time.monotonic() - self._since
        frames = _FRAMES if self._page.unicode else _ASCII_FRAMES
        frame = frames[int(elapsed * 8) % len(frames)]
        clock = f"  {elapsed:.0f} s" if elapsed < 60 else f"  {duration(elapsed)}"
        what = trimmed(
            Line.of(self._what), self._page.width - 5 - cells(clock), unicode=self._page.unicode
        )
        return Text(f"  {frame} {what}{clock}", style="dim", no_wrap=True)


def _text(line: Line) -> Text:
    text = Text.assemble(*((span.text, _COLOURS[span.style]) for span in line.spans))
    text.rstrip()
    return text
