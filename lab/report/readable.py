"""Events made fit to print: what a node says must not steer the terminal of who reads it."""

from __future__ import annotations

import unicodedata
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

_T = TypeVar("_T")

# Control, format, surrogate, private and unassigned characters; line and paragraph separators.
_STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# Box drawing and punctuation as ASCII draws them.
_ASCII = str.maketrans(
    "─━═│┃║→←·–—×“”‘’" + "┌┐└┘├┤┬┴┼╭╮╰╯",
    "--=|||><.--x\"\"''" + "+" * 13,
) | {ord("…"): "..."}

# The fields of events that may be several lines long; all others are one.
_SEVERAL_LINES = frozenset(
    {"broken", "command", "expected", "observed", "reason", "stderr", "stdout"}
)


def readable(event: _T, *, unicode: bool) -> _T:
    """Give an event (or a record within one) all of whose texts are printable.

    ``unicode`` False leaves nothing but ASCII.
    """
    changed: dict[str, Any] = {}
    for item in fields(event):  # type: ignore[arg-type]
        value = getattr(event, item.name)
        keeps_lines = item.name in _SEVERAL_LINES
        shown = _shown(value, keeps_lines=keeps_lines, unicode=unicode)
        if shown is not value:
            changed[item.name] = shown
    return replace(event, **changed) if changed else event  # type: ignore[type-var]


def _shown(value: Any, *, keeps_lines: bool, unicode: bool) -> Any:
    if type(value) is str:
        if value.isascii() and value.isprintable():
            return value
        lines = value.removesuffix("\n").split("\n")
        shown = (printable(line.removesuffix("\r"), unicode=unicode) for line in lines)
        return ("\n" if keeps_lines else " ").join(shown)
    if isinstance(value, tuple):
        return tuple(_shown(item, keeps_lines=keeps_lines, unicode=unicode) for item in value)
    if is_dataclass(value):
        return readable(value, unicode=unicode)
    return value


def printable(text: str, *, unicode: bool) -> str:
    """Show control characters instead of obeying them, and non-ASCII ones only where they arrive.

    Control characters are written in caret notation (``^[`` is ESC), other invisible ones, lone
    surrogates among them, as Python's escapes. Tabs become spaces.
    """
    visible = "".join(_visible(character) for character in text.expandtabs(8))
    if unicode:
        return visible
    return visible.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def message(text: str) -> str:
    """Make a message of several lines printable; standard error escapes what it cannot write."""
    return "\n".join(printable(line, unicode=True) for line in text.split("\n"))


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _STEERING:
        return character
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return f"^{chr(code ^ 0x40)}"
    return character.encode("unicode_escape").decode("ascii")


def duration(seconds: float) -> str:
    """Write a time as people read it: ``3 ms``, ``1.2 s``, ``2 min 14 s``.

    >>> duration(0.0034)
    '3 ms'
    """
    milliseconds = round(seconds * 1000)
    if milliseconds < 1:
        return "<1 ms"
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
