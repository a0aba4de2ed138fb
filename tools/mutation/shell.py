"""A shell script as the simple commands that it is made of, each with its place (bash(1), GRAMMAR).

Only as much of the grammar as it takes to tell where a command begins and ends: what a compound
command means does not matter here, and what stands in ``$(…)`` stays a part of its word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

# They stand where a command could, and a command may follow.
_RESERVED: Final = frozenset(
    ("!", "{", "}", "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "esac")
)
_BLANK: Final = re.compile(r"(?:[ \t]|\\\n)+")
_COMMENT: Final = re.compile(r"#[^\n]*")
_OPERATOR: Final = re.compile(r";;&?|;&|&&|\|\||\|&|[;&|()]")
_REDIRECTION: Final = re.compile(r"(?:\d+|&)?(<<<|<<-|<<|<&|<>|>>|>&|>\||<|>)(?!\()")
_WRITING: Final = frozenset({"<>", ">>", ">|", ">"})
_WORD_ENDS: Final = frozenset(" \t\n;&|()<>")
# What of a word has an end of its own: an escape, '…', $'…', `…`.
_PIECE: Final = re.compile(
    r"""\\. | '[^']*(?:'|\Z) | \$'(?:[^'\\]|\\.)*(?:'|\Z) | `(?:[^`\\]|\\.)*(?:`|\Z)""",
    re.DOTALL | re.VERBOSE,
)
_QUOTED_PIECE: Final = re.compile(r"\\. | `(?:[^`\\]|\\.)*(?:`|\Z)", re.DOTALL | re.VERBOSE)
_SUBSTITUTION: Final = re.compile(r"[$<>]\(|\$\{")
# The escapes that double quotes know (bash(1), QUOTING).
_ESCAPED: Final = re.compile(r"\\\n|\\([$`\"\\])")


@dataclass(frozen=True, slots=True)
class HereDocument:
    """A here-document: where its redirection stands, and where its lines do, as offsets."""

    operator: tuple[int, int]
    body: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """One command: its words without quotes, the files that it writes to, its span as offsets.

    ``comment`` is what stands behind it on its last line, from the ``#`` on.
    """

    words: tuple[str, ...]
    targets: tuple[str, ...]
    span: tuple[int, int]
    here_documents: tuple[HereDocument, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text, its commands and its comments, in the order in which they stand there."""

    text: str
    commands: tuple[SimpleCommand, ...]
    comments: tuple[str, ...]

    def line_of(self, command: SimpleCommand) -> int:
        """The line that a command begins in, counted from 0."""
        return self.text.count("\n", 0, command.span[0])

    def without(self, command: SimpleCommand) -> str:
        """The text with a ``:`` in a command's place; all that follows keeps its line."""
        start, end = command.span
        kept = [self.text[slice(*each.operator)] for each in command.here_documents]
        lines = self.text.count("\n", start, end)
        nothing = " ".join([":", *kept]) + " \\\n" * lines
        return self.text[:start] + nothing + self.text[end:]


def read_script(text: str) -> Script:
    """Take a script apart; one that bash would refuse gives whatever it looks like."""
    reader = _Reader(text)
    while reader.at < len(text):
        reader.step()
    reader.end_line()
    return Script(text, tuple(reader.commands), tuple(reader.comments))


@dataclass(slots=True)
class _Open:
    """A command that is being read."""

    start: int
    end: int = 0
    words: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    here_documents: list[HereDocument] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Announced:
    """A here-document whose lines come behind the present one."""

    command: _Open
    operator: tuple[int, int]
    delimiter: str
    tabs: bool


class _Reader:
    """Reads a script from the left, one token at a step."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.commands: list[SimpleCommand] = []
        self.comments: list[str] = []
        self._open: _Open | None = None
        self._line: list[_Open] = []
        self._comment = ""
        self._announced: list[_Announced] = []

    def step(self) -> None:
        """Read what stands at the present place."""
        if self._skip(_BLANK):
            return
        start = self.at
        if self.text[start] == "\n":
            self.at += 1
            self.end_line()
        elif comment := self._skip(_COMMENT):
            self.comments.append(comment[0])
            self._comment = comment[0]
        elif redirection := self._skip(_REDIRECTION):
            self._redirect(redirection)
        elif self._skip(_OPERATOR):
            self._open = None
        else:
            word = self._word()
            if self._open is not None or self.text[start : self.at] not in _RESERVED:
                command = self._command(start)
                command.words.append(word)
                command.end = self.at

    def end_line(self) -> None:
        """Behind a line break: take the here-documents, and the line's commands are complete."""
        self._open = None
        for announced in self._announced:
            announced.command.here_documents.append(self._here_document(announced))
        self.commands += [
            SimpleCommand(
                tuple(command.words),
                tuple(command.targets),
                (command.start, command.end),
                tuple(command.here_documents),
                self._comment,
            )
            for command in self._line
            if command.words
        ]
        self._line, self._announced, self._comment = [], [], ""

    def _skip(self, shape: re.Pattern[str]) -> re.Match[str] | None:
        found = shape.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def _command(self, start: int) -> _Open:
        """The command that is being read, or a new one."""
        if self._open is None:
            self._open = _Open(start)
            self._line.append(self._open)
        return self._open

    def _redirect(self, found: re.Match[str]) -> None:
        """Take a redirection and the word behind it, which may be a here-document's delimiter."""
        command = self._command(found.start())
        self._skip(_BLANK)
        word = self._word()
        command.end = self.at
        if found[1] in ("<<", "<<-"):
            operator = (found.start(), self.at)
            self._announced.append(_Announced(command, operator, word, found[1] == "<<-"))
        elif found[1] in _WRITING:
            command.targets.append(word)

    def _here_document(self, announced: _Announced) -> HereDocument:
        start = self.at
        while self.at < len(self.text):
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end
            line = self.text[self.at : end]
            before, self.at = self.at, min(end + 1, len(self.text))
            if (line.lstrip("\t") if announced.tabs else line) == announced.delimiter:
                return HereDocument(announced.operator, (start, before))
        return HereDocument(announced.operator, (start, self.at))

    def _word(self) -> str:
        """Take a word; what it is without its quotes."""
        parts = []
        start = self.at
        while self.at < len(self.text):
            if piece := self._skip(_PIECE):
                parts.append(_unquoted(piece))
            elif opened := self._skip(_SUBSTITUTION):
                self._close(opened[0][-1])
                parts.append(self.text[opened.start() : self.at])
            elif self.text[self.at] == '"':
                parts.append(self._double_quoted())
            elif self.text[self.at] == "(" and self.text[start : self.at].endswith("="):
                self.at += 1
                self._close("(")
            elif self.text[self.at] in _WORD_ENDS:
                break
            else:
                parts.append(self.text[self.at])
                self.at += 1
        return "".join(parts)

    def _double_quoted(self) -> str:
        start = self.at
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            if opened := self._skip(_SUBSTITUTION):
                self._close(opened[0][-1])
            elif not self._skip(_QUOTED_PIECE):
                self.at += 1
        inside = self.text[start + 1 : self.at]
        self.at = min(self.at + 1, len(self.text))
        return _ESCAPED.sub(lambda escape: escape[1] or "", inside)

    def _close(self, bracket: str) -> None:
        """Go behind the bracket that closes one which was opened before this place."""
        closing = {"(": ")", "{": "}"}[bracket]
        depth = 1
        while self.at < len(self.text) and depth:
            if self.text[self.at] == '"':
                self._double_quoted()
            elif not self._skip(_PIECE):
                depth += (self.text[self.at] == bracket) - (self.text[self.at] == closing)
                self.at += 1


def _unquoted(piece: re.Match[str]) -> str:
    text = piece[0]
    if text == "\\\n":
        return ""
    if text[0] == "\\":
        return text[1:]
    return text[text.index("'") + 1 : -1] if text[-1] == "'" and text[0] != "`" else text
