"""Lines of styled text: what the terminal report is made of, whatever then prints it.

Widths are counted in terminal cells: two for an East Asian wide character, none for a combining
one (Unicode Standard Annex 11).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby


class Style(StrEnum):
    """What a piece of text means; a printer chooses the colour."""

    PLAIN = "plain"
    HEADING = "heading"
    GOOD = "good"
    BAD = "bad"
    SKIPPED = "skipped"
    DIM = "dim"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style."""

    text: str
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output, without its line break."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, text: str, style: Style = Style.PLAIN) -> Line:
        """A line in a single style."""
        return cls((Span(text, style),))

    def __add__(self, other: Line) -> Line:
        return Line(self.spans + other.spans)

    def __str__(self) -> str:
        return "".join(span.text for span in self.spans).rstrip()

    @property
    def cells(self) -> int:
        """The width in terminal cells."""
        return sum(cells(span.text) for span in self.spans)


@dataclass(frozen=True, slots=True)
class Page:
    """What the report is laid out for.

    ``width`` is in cells. ``fits`` says that lines must stay within it, as on a terminal; a log
    file's lines are as long as their content. ``unicode`` is False where only ASCII arrives.
    """

    width: int = 80
    fits: bool = False
    unicode: bool = True

    def fit(self, line: Line, hang: int) -> list[Line]:
        """Break a line where it must fit and does not; lines behind the first hang ``hang``."""
        return folded(line, self.width, hang) if self.fits else [line]

    def cut(self, line: Line) -> Line:
        """Cut a line where it must fit and does not."""
        return trimmed(line, self.width, unicode=self.unicode) if self.fits else line


def cells(text: str) -> int:
    """The width of a text in terminal cells."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def padded(text: str, width: int) -> str:
    """Fill a text with spaces up to a width in cells."""
    return text + " " * (width - cells(text))


def trimmed(line: Line, width: int, *, unicode: bool) -> Line:
    """Cut a line that is wider than ``width`` cells, an ellipsis saying so."""
    if line.cells <= width:
        return line
    ellipsis = "…" if unicode else "..."
    room = max(width - cells(ellipsis), 0)
    kept: list[Span] = []
    for span in line.spans:
        head = span.text[: _fitting(span.text, room)]
        kept.append(Span(head, span.style))
        room -= cells(head)
        if head != span.text:
            break
    kept[-1] = Span(kept[-1].text.rstrip() + ellipsis, kept[-1].style)
    return Line(tuple(kept))


def _fitting(text: str, width: int) -> int:
    """How many characters of a text fit into ``width`` cells."""
    for index, character in enumerate(text):
        width -= _cells_of(character)
        if width < 0:
            return index
    return len(text)


def folded(line: Line, width: int, hang: int) -> list[Line]:
    """Break a line between words so that it fits ``width`` cells.

    Lines behind the first are indented by ``hang`` spaces, half the width at most. What is wider
    than a line, and East Asian text, which has no spaces, is cut where the line ends.
    """
    if line.cells <= width:
        return [line]
    indent = min(hang, width // 2)
    lines: list[list[Span]] = [[]]
    room, fresh = width, True
    for word in _words(line):
        rest = word.text
        while rest:
            cut = _cut(rest, room, fresh=fresh)
            if cut:
                lines[-1].append(Span(rest[:cut], word.style))
                room, fresh = room - cells(rest[:cut]), False
            rest = rest[cut:].lstrip()
            if rest:
                lines.append([Span(" " * indent, word.style)])
                room, fresh = width - indent, True
    return [Line(_joined(spans)) for spans in lines]


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    """Make one span of neighbours that share a style."""
    return tuple(
        Span("".join(span.text for span in same), style)
        for style, same in groupby(spans, key=lambda span: span.style)
    )


def _words(line: Line) -> Iterator[Span]:
    """The words of a line, each with the spaces behind it."""
    for span in line.spans:
        for word in re.findall(r"\S+\s*|\s+", span.text):
            yield Span(word, span.style)


def _cut(word: str, room: int, *, fresh: bool) -> int:
    """How many characters of a word go on a line with ``room`` cells left; 0 for the next line."""
    fitting = _fitting(word, room)
    if fitting >= len(word.rstrip()):
        return fitting
    if fresh:
        return max(fitting, 1)
    return fitting if not word.isascii() and cells(word) > len(word) else 0
