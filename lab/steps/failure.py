"""How a step fails other than by an expectation: in words, for the report."""

from __future__ import annotations

import signal

# what a failure shows of an output, in lines and in characters of each
_LINES, _WIDTH = 20, 400


class StepFailed(Exception):
    """A step could not do what it says; the text tells why, in the tools' own words."""


def how_it_ended(code: int) -> str:
    """Say how a process ended; ``code`` is negative for a signal.

    >>> how_it_ended(2)
    'exit code 2'
    """
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def last_words(output: str) -> str:
    """The end of an output, where a tool says what went wrong."""
    lines = output.strip().splitlines()
    shown = [line if len(line) <= _WIDTH else f"{line[:_WIDTH]} …" for line in lines[-_LINES:]]
    return "\n".join(["…", *shown] if len(lines) > _LINES else shown)
