"""The text under `topology:` that refers to a topology elsewhere: a name, or a class of a file."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from typing import Any, Final

from lab.spec.misfit import Misfit

_BUNDLED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LONGEST: Final = 1000
_LITERALS: Final = "numbers, texts, True, False, None, and lists and dicts of these"


@dataclass(frozen=True, slots=True)
class BundledTopology:
    """A topology that ships with the package, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class TopologyClass:
    """A class of a Python file, called with literals."""

    file: str
    class_name: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()


def parse_reference(text: str) -> BundledTopology | TopologyClass:
    """Read ``home-router``, ``path/file.py:Class`` or ``path/file.py:Class(1, 'x', k=2)``."""
    text = text.strip()
    if _BUNDLED.fullmatch(text):
        return BundledTopology(text)
    if len(text) > _LONGEST:
        raise Misfit(f"a topology is named in {_LONGEST} letters at most, not {len(text)}")
    file, colon, call = text.partition(".py:")
    if not colon:
        hint = "a file's topology is written FILE.py:CLASS"
        raise Misfit(f"'{text}' names no topology", hint)
    return _parse_call(f"{file}.py", call.strip())


def _parse_call(file: str, text: str) -> TopologyClass:
    if text.isidentifier():
        return TopologyClass(file, text)
    wrong = Misfit(f"expected CLASS or CLASS(ARGUMENTS) behind '{file}:', got '{text}'")
    try:
        call = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise wrong from None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise wrong
    if any(keyword.arg is None for keyword in call.keywords):
        raise Misfit("a topology's arguments are literals, without **", _LITERALS)
    if len({keyword.arg for keyword in call.keywords}) < len(call.keywords):
        raise Misfit(f"an argument is here twice: '{text}'")
    args = tuple(_literal(argument, text) for argument in call.args)
    kwargs = tuple((str(item.arg), _literal(item.value, text)) for item in call.keywords)
    return TopologyClass(file, call.func.id, args, kwargs)


def _literal(expression: ast.expr, text: str) -> Any:
    try:
        value = ast.literal_eval(expression)
    except (ValueError, TypeError, RecursionError, MemoryError, SyntaxError):
        value = ...
    if not _is_plain(value):
        written = ast.get_source_segment(text, expression)
        raise Misfit(f"'{written}' is no literal", _LITERALS)
    return value


def _is_plain(value: object) -> bool:
    """Whether a value survives JSON unchanged."""
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)
