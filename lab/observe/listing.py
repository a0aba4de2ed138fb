"""How a message lists what was there instead of what was expected."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN = 3


def others(found: Iterable[object], nothing: str) -> str:
    """List what was found, at most SHOWN of it, or say ``nothing``.

    >>> others(["a", "b", "c", "d"], "no route")
    'no such route (4 others: a; b; c; …)'
    >>> others([], "no route")
    'no route'
    """
    texts = [str(item) for item in found]
    if not texts:
        return nothing
    such = nothing.replace("no ", "no such ", 1)
    noun = "other" if len(texts) == 1 else "others"
    return f"{such} ({len(texts)} {noun}: {listed(texts)})"


def listed(found: Iterable[object]) -> str:
    """List at most SHOWN of what was found, with semicolons."""
    texts = [str(item) for item in found]
    more = ["…"] if len(texts) > SHOWN else []
    return "; ".join(texts[:SHOWN] + more)


def counted(number: int, noun: str) -> str:
    """Write a number with its noun, an s behind it for any number but 1."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
