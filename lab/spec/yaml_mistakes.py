"""What is wrong with a text that is no YAML, in words that do not presume knowledge of a parser."""

from __future__ import annotations

import re
import sys
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
    (r"expected a comment or a line break", "the text begins on the line below this", ""),
    (
        r"mapping keys are not allowed",
        "a '? ' does not fit here",
        "a value that begins so needs quotes",
    ),
    (r"hexdecimal numbers", "this escape needs more hexadecimal digits", ""),
    (r"more indented follow up line", "the text's first line is indented less than the next", ""),
    (r"expected '<document start>'", "this does not fit behind the end of the document", ""),
    (r"(YAML directive|YAML document)", "this is not YAML 1.2", ""),
    (
        r"scanning an (?:alias|anchor)",
        "'&' and '*' name a value, and there is no name behind this",
        "a value that begins with one of them needs quotes",
    ),
    (
        r"(?:scanning|parsing) an? (?:tag|node)",
        "'!' begins a tag, and this is none",
        "a value that begins with it needs quotes",
    ),
    (r"scanning a directive", "'%' begins a directive, and this is none", ""),
)


def syntax_mistake(error: Any, path: str) -> Mistake:
    """Say where and why a text is no YAML.

    Args:
        error: ruamel.yaml's MarkedYAMLError.
        path: how to name the file.
    """
    problem = f"{error.context}: {error.problem}"
    # What is never closed is told where it was opened, not where the file ends.
    unclosed = "stream" in str(error.problem) and error.context_mark is not None
    mark = error.context_mark if unclosed else error.problem_mark
    location = Location(path) if mark is None else Location(path, mark.line + 1, mark.column + 1)
    for pattern, message, hint in _SAID:
        found = re.search(pattern, problem)
        if found is not None:
            return Mistake(location, message.format(*found.groups()), hint)
    return Mistake(location, f"this is no YAML: {error.problem}")


def character_mistake(error: Any, text: str, path: str) -> Mistake:
    """Say where a character stands that YAML does not allow (ruamel.yaml's ReaderError)."""
    name = f"U+{error.character:04X}" if isinstance(error.character, int) else "here"
    location = _location(text, error.position, path)
    return Mistake(location, f"YAML does not allow the character {name}")


def unforeseen_mistake(text: str, path: str) -> Mistake:
    """Say where an escape stands for no character or a directive names no version of YAML.

    ruamel.yaml passes such on unchecked and does not say where.
    """
    version = re.search(r"^%YAML.*$", text, re.MULTILINE)
    if version is not None and version[0].split() not in (["%YAML", "1.1"], ["%YAML", "1.2"]):
        return Mistake(_location(text, version.start(), path), "this is not YAML 1.2")
    for escape in re.finditer(r"\\U([0-9A-Fa-f]{8})", text):
        if int(escape[1], 16) > sys.maxunicode:
            location = _location(text, escape.start(), path)
            return Mistake(location, f"'{escape[0]}' is beyond the last character, \\U0010ffff")
    return Mistake(Location(path), "this is no YAML")


def _location(text: str, position: int, path: str) -> Location:
    line = text.count("\n", 0, position) + 1
    return Location(path, line, position - text.rfind("\n", 0, position))
