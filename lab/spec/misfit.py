"""A value that does not mean what its place wants, before it is known where in a file it stands."""

from __future__ import annotations

from collections.abc import Iterable


class Misfit(ValueError):
    """What is wrong with a value, and what was probably meant."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "known") -> str:
    """A hint that names the known words nearest to an unknown one.

    Args:
        word: what the user wrote.
        known: what there is.
        otherwise: how to introduce the whole list when nothing is near.

    Returns:
        ``did you mean 'a'?``, or all that is known, or "" when nothing is.
    """
    # 5 ms, and only a mistake needs it.
    from difflib import SequenceMatcher

    names = sorted(set(known))
    matcher = SequenceMatcher(None, "", word.casefold())
    likeness: dict[str, float] = {}
    for name in names:
        matcher.set_seq1(name.casefold())
        likeness[name] = matcher.ratio()
    best = max(likeness.values(), default=0)
    if best >= 0.6:
        near = [f"'{name}'" for name in names if likeness[name] > best - 0.05]
        return f"did you mean {' or '.join(near[:3])}?"
    if not names:
        return ""
    return f"{otherwise}: {', '.join(names)}"


def kind_of(value: object, text: str = "") -> str:
    """Name a YAML value in words: ``the number 80``, ``text 'x'``, ``a list``.

    Args:
        value: the value.
        text: how it was written, where that is known.
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return text or str(value).lower()
        case int() | float():
            return f"the number {text or value}"
        case str():
            return f"text '{_shortened(value)}'"
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
    return "something else"


def _shortened(text: str, longest: int = 40) -> str:
    line = text.splitlines()[0] if text.strip() else text
    return line if len(line) <= longest else f"{line[:longest]}…"
