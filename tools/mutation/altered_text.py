"""Words, lines and regular expressions, each with one letter or one word that is another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from typing import Final

from tools.mutation.unnamed import Unnamed

# What of a regular expression is no letter that stands for itself (re, Regular Expression Syntax).
_NOT_LITERAL: Final = re.compile(r"\\.|\[\^?\]?[^\]]*\]|\{[^}]*\}|\(\?[^):>]*[):>]?", re.DOTALL)
_OPTIONAL: Final = ("*", "?", "{")
_NEVER: Final = r"(?!)"


def altered_text(text: str, _: Unnamed) -> Iterable[str]:
    """The last letter or digit becomes the one behind it; without any, one more comes."""
    at = next((at for at in reversed(range(len(text))) if _is_plain(text[at])), None)
    yield f"{text}x" if at is None else text[:at] + _following(text[at]) + text[at + 1 :]


def altered_value(text: str, _: Unnamed) -> Iterable[str]:
    """A number becomes the next one, the last of several; a word another one."""
    *before, last = text.split() or [""]
    yield " ".join([*before, str(int(last) + 1) if last.isdecimal() else f"{last}x"])


def altered_lines(line: str, unnamed: Unnamed) -> Iterator[str]:
    """Each word of a line in turn: an address becomes another one, the rest other words."""
    words = line.split()
    for index, word in enumerate(words):
        yield " ".join([*words[:index], _other_word(word, unnamed), *words[index + 1 :]])


def altered_pattern(pattern: str, _: Unnamed) -> Iterable[str]:
    """The last character that must be there becomes another one; without any, nothing matches."""
    yield next(_altered_patterns(pattern), _NEVER)


def _altered_patterns(pattern: str) -> Iterator[str]:
    masked = _NOT_LITERAL.sub(lambda found: "\0" * len(found[0]), pattern)
    if "|" in masked:
        return
    for at in reversed(range(len(masked))):
        if not _is_plain(masked[at]) or pattern[at + 1 : at + 2] in _OPTIONAL:
            continue
        altered = pattern[:at] + _following(pattern[at]) + pattern[at + 1 :]
        if re.compile(altered):
            yield altered


def _is_plain(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def _following(letter: str) -> str:
    """The letter or digit behind this one, of the same kind; behind the last the first."""
    if letter.isdigit():
        return str((int(letter) + 1) % 10)
    return {"z": "a", "Z": "A"}.get(letter) or chr(ord(letter) + 1)


def _other_word(word: str, unnamed: Unnamed) -> str:
    if word == "default":
        return "192.0.2.0/24"
    if word.isdecimal():
        return str(int(word) + 1)
    try:
        return str(unnamed.ip(ip_address(word)))
    except ValueError:
        pass
    try:
        network = ip_network(word)
    except ValueError:
        return f"{word}x"
    return f"{unnamed.ip(network.network_address)}/{network.max_prefixlen}"
