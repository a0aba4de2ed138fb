"""What is wrong with a text that is no YAML, in words that do not presume knowledge of a parser."""

from __future__ import annotations

import re
from typing import Any, Final

from lab.model.errors import Location, Mistake

# What ruamel.yaml's scanner and parser say (as a regular expression), what it means, what helps.
# {0} is what the first group matched. The first that fits is taken.
_SAID: Final[tuple[tuple[str, str, str], ...]] = (
    (
        r"mapping values are not allowed",
        "a ': ' does not fit here",
        "a value that contains ': ' needs quotes; or is the indentation of this line right?",
    ),
    (r"character '\\t' that cannot", "a tab: only spaces may indent", ""),
    (
        r"character (['\"].['\"]) that cannot",
        "a value cannot begin with {0}",
        "write the value in quotes",
    ),
    (r"'\]', but got '<stream end>'", "this '[' is never closed", ""),
    (r"'}', but got '<stream end>'", "this '{{' is never closed", ""),
    (r"expected ',' or '(.)', but got", "a ',' or the closing '{0}' is missing before this", ""),
    (r"unexpected end of stream", "this quote is never closed", ""),
    (r"unexpected document separator", "the quote before this is never closed", ""),
    (
        r"unknown escape character '(.*)'",
        "double quotes know no escape '\\{0}'",
        "write the backslash twice, or use single quotes",
    ),
    (r"sequence entries are not allowed", "a '- ' does not fit here", "begin a list on a new line"),
    (r"could not find expected ':'", "a ':' is missing: this line is no 'key: value'", ""),
    (
        r"expected <block end>, but found '<(scalar|alias)>'",
        "this text does not fit here",
        "is it indented as it should be? A value that goes on behind a quote needs quotes around"
        " all of it",
    ),
    (r"expected <block end>", "this is not indented as the lines above it", ""),
    (r"expected the node content, but found '(.*)'", "a value is missing before this '{0}'", ""),
    (r"chomping or indentation", "nothing but '-' or '+' may follow this '|' or '>'", ""),
    (r"more indented follow up line", "the text's first line is indented less than the next", ""),
    (r"expected '<document start>'", "this does not fit behind the end of the document", ""),
    (r"duplicate YAML directive", "'%YAML' is here twice", ""),
    (r"incompatible YAML document", "this is not YAML 1.2", ""),
)


def syntax_mistake(error: Any, path: str) -> Mistake:
    """Say where and why a text is no YAML.

    Args:
        error: ruamel.yaml's MarkedYAMLError.
        path: how to name the file.
    """
    problem = str(error.problem)
    # What is never closed is told where it was opened, not where the file ends.
    unclosed = "stream" in problem and error.context_mark is not None
    mark = error.context_mark if unclosed else error.problem_mark
    location = Location(path) if mark is None else Location(path, mark.line + 1, mark.column + 1)
    for pattern, message, hint in _SAID:
        found = re.search(pattern, problem)
        if found is not None:
            return Mistake(location, message.format(*found.groups()), hint)
    return Mistake(location, f"this is no YAML: {problem}")


def character_mistake(error: Any, text: str, path: str) -> Mistake:
    """Say where a character stands that YAML does not allow (ruamel.yaml's ReaderError)."""
    before = text[: error.position]
    line = before.count("\n") + 1
    column = error.position - (before.rfind("\n") + 1) + 1
    name = f"U+{error.character:04X}" if isinstance(error.character, int) else "this"
    return Mistake(Location(path, line, column), f"YAML does not allow the character {name}")
