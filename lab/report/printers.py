"""Where the lines of the terminal report go: plainly to a log or pipe, or by rich to a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TextIO

from lab.report.encoding import speaks_unicode
from lab.report.lines import Line, Page


class Printer(Protocol):
    """Puts lines out at once, and says what is going on while nothing is put out."""

    @property
    def page(self) -> Page:
        """What the lines are to be laid out for."""

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines; OSError where the stream refuses."""

    def doing(self, what: str) -> None:
        """Tell what is under way; empty where nothing is."""


class PlainPrinter:
    """Plain lines for logs and pipes: no colour, no cursor movement, no progress."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = stream.encoding or "utf-8"
        self.page = Page(unicode=speaks_unicode(self._encoding))

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines and flush, so that whoever follows a log sees a step when it ends."""
        text = "".join(f"{line}\n" for line in lines)
        self._stream.write(text.encode(self._encoding, "backslashreplace").decode(self._encoding))
        self._stream.flush()

    def doing(self, what: str) -> None:
        """Tell nothing: a log has no place for what is only true for a moment."""


def printer_for(stream: TextIO) -> Printer:
    """The printer that suits a stream; rich is imported for a terminal alone."""
    if not stream.isatty():
        return PlainPrinter(stream)
    from lab.report.rich_printer import RichPrinter

    return RichPrinter(stream)
