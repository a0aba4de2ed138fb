"""Which scenarios `-k` selects: parts of names, joined by ``and``, ``or`` and ``not``."""

from __future__ import annotations

import re
from collections.abc import Callable

from lab.model.errors import BadInput, Location, Mistake

Selection = Callable[[str], bool]


def parse_selection(expression: str) -> Selection:
    """Read an expression such as ``forward and not (pppoe or dhcp)``.

    ``not`` binds closest, then ``and``, then ``or``. A word selects the names that it is a part
    of, whatever their case.

    Args:
        expression: what stands behind `-k`.

    Returns:
        A function that tells whether a scenario's name is selected.

    Raises:
        BadInput: the expression is incomplete.
    """
    parser = _Parser(expression)
    selection = parser.any_of()
    if parser.ahead is not None:
        raise parser.mistake(f"'{parser.ahead}' is not expected here")
    return selection


class _Parser:
    """Recursive descent, one method for each level of binding."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._words = re.findall(r"[()]|[^\s()]+", expression)
        self._next = 0

    @property
    def ahead(self) -> str | None:
        """The word to be read next, None at the end."""
        return self._words[self._next] if self._next < len(self._words) else None

    def any_of(self) -> Selection:
        """``A or B or …``."""
        choices = [self._all_of()]
        while self._took("or"):
            choices.append(self._all_of())
        return lambda name: any(choice(name) for choice in choices)

    def _all_of(self) -> Selection:
        demands = [self._one()]
        while self._took("and"):
            demands.append(self._one())
        return lambda name: all(demand(name) for demand in demands)

    def _one(self) -> Selection:
        if self._took("not"):
            denied = self._one()
            return lambda name: not denied(name)
        if self._took("("):
            inner = self.any_of()
            if not self._took(")"):
                raise self.mistake("a ')' is missing")
            return inner
        word = self.ahead
        if word is None:
            raise self.mistake("a part of a name is missing at the end")
        if word in {"and", "or", ")"}:
            raise self.mistake(f"a part of a name is missing before '{word}'")
        self._next += 1
        return lambda name: word.lower() in name.lower()

    def _took(self, word: str) -> bool:
        found = self.ahead == word
        self._next += found
        return found

    def mistake(self, what: str) -> BadInput:
        """The error that names the expression."""
        return BadInput([Mistake(Location(f"-k '{self._expression}'"), what)])
