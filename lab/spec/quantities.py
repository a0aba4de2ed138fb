"""Durations, counts and ports, from the way they are written in a scenario."""

from __future__ import annotations

import math
import re
from typing import Final

from lab.model.address import Count
from lab.spec.misfit import Misfit, kind_of

LONGEST: Final = 24 * 3600.0

_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_COUNT: Final = re.compile(r"(>=|<=|>|<|==|=)?\s*([0-9]{1,18})")
_RANGE: Final = re.compile(r"([0-9]{1,18})\s*\.\.\s*([0-9]{1,18})")


def parse_duration(value: object) -> float:
    """Read a duration: a number of seconds, or text such as ``500ms``, ``2s``, ``1m``.

    Returns:
        Seconds, more than none and at most a day.
    """
    seconds = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        seconds = float(found[1]) * _SECONDS[found[2]]
    else:
        raise Misfit(
            f"expected a duration, got {kind_of(value)}",
            "a number of seconds, or one with a unit: 500ms, 2s, 1m",
        )
    if not 0 < seconds <= LONGEST:
        raise Misfit("a duration is more than 0 s and at most 24 h")
    return seconds


def parse_count(value: object) -> Count:
    """Read a count: ``3``, ``">=1"``, ``"<3"``, ``"1..3"`` (both ends included)."""
    wrong = Misfit(
        f"expected a count, got {kind_of(value)}", 'a number, or one of ">=1", "<3", "1..3"'
    )
    if isinstance(value, bool):
        raise wrong
    if isinstance(value, int):
        if value < 0:
            raise Misfit(f"nothing is counted {value} times")
        return Count.exactly(value)
    if not isinstance(value, str):
        raise wrong
    if found := _RANGE.fullmatch(value.strip()):
        low, high = int(found[1]), int(found[2])
        if low > high:
            raise Misfit(f"'{value}' fits no number", f"did you mean {high}..{low}?")
        return Count(low, high)
    if found := _COUNT.fullmatch(value.strip()):
        return _compared(found[1] or "=", int(found[2]), value)
    raise wrong


def _compared(operator: str, number: int, written: str) -> Count:
    match operator:
        case ">=":
            return Count(number, None)
        case ">":
            return Count(number + 1, None)
        case "<=":
            return Count(0, number)
        case "<" if number == 0:
            raise Misfit(f"'{written}' fits no number")
        case "<":
            return Count(0, number - 1)
    return Count.exactly(number)


def parse_exit(value: object) -> int | None:
    """Read an exit code, 0 to 255; ``nonzero`` is None."""
    if value == "nonzero":
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misfit(f"expected an exit code, got {kind_of(value)}", "a number, or nonzero")
    if not 0 <= value <= 255:
        raise Misfit(f"{value} is no exit code", "0 to 255, or nonzero")
    return value


def parse_port(text: str) -> int:
    """Read a port number, 1 to 65535."""
    if not (text.isascii() and text.isdigit()):
        raise Misfit(f"expected a port number, got {kind_of(text)}")
    port = int(text[:9])
    if not 1 <= port <= 65535:
        raise Misfit(f"{text} is no port number", "ports go from 1 to 65535")
    return port
