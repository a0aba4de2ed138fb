"""YAML 1.2 text as plain values, together with where every key and every value stands.

Only what YAML's core schema knows becomes a number, a flag or nothing (YAML 1.2.2, chapter 10.3);
`on`, `yes` and dates stay text. Keys are always text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from lab.model.errors import BadInput, Location, Mistake
from lab.spec.yaml_mistakes import character_mistake, syntax_mistake, unforeseen_mistake

# Far more than any scenario needs, and little enough to be read in no time: a handful of aliases
# to aliases would otherwise unfold into billions of values.
MOST_VALUES: Final = 50_000
DEEPEST: Final = 32
# Python refuses to convert more digits than that; no number of a scenario has as many as this.
LONGEST_NUMBER: Final = 40

_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_REAL: Final = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_CORE_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")
)

Scalar = str | int | float | bool | None


@dataclass(slots=True)
class YamlNode:
    """One value of the file and what lies below it.

    ``value`` is made of dict, list, str, int, float, bool and None; ``text`` is a scalar as it was
    written, ``style`` its quotes (``'``, ``"``), its block indicator (``|``, ``>``) or "".
    ``line`` and ``column`` count from 1. ``size`` counts the values in it, aliases unfolded.
    """

    value: Any
    line: int
    column: int
    text: str = ""
    style: str = ""
    items: dict[str | int, YamlNode] = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    size: int = 1

    @property
    def content_line(self) -> int:
        """The line where a scalar's text begins: below the indicator of a block scalar."""
        return self.line + 1 if self.style in ("|", ">") else self.line

    def find(self, path: tuple[str | int, ...]) -> YamlNode:
        """The node at a path, or the nearest one above it that the file has.

        An index 0 that the file has not is the lone value that stands for a list of one.
        """
        node = self
        for part in path:
            if part in node.items:
                node = node.items[part]
            elif part != 0:
                return node
        return node

    def key_position(self, path: tuple[str | int, ...]) -> tuple[int, int]:
        """Line and column of a path's last key; of the nearest value above where it has none."""
        if not path:
            return (self.line, self.column)
        parent = self.find(path[:-1])
        last = path[-1]
        if isinstance(last, str) and last in parent.keys:
            return parent.keys[last]
        node = parent.find(path[-1:])
        return (node.line, node.column)


def read_yaml(text: str, path: str) -> YamlNode:
    """Read a file of one YAML document.

    Args:
        text: the file's text.
        path: how mistakes name the file.

    Returns:
        The document's topmost value.

    Raises:
        BadInput: the text is no YAML, has no document or more than one, repeats a key, or uses
            what a scenario has no use for (tags, merge keys, cycles).
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    events = YAML(typ="safe", pure=True, plug_ins=[]).parse(text)
    composer = _Composer(path)
    try:
        node = composer.document(events)
    except MarkedYAMLError as error:
        raise BadInput([*composer.mistakes, syntax_mistake(error, path)]) from None
    except ReaderError as error:
        raise BadInput([character_mistake(error, text, path)]) from None
    except (AssertionError, ValueError, OverflowError):
        # What ruamel.yaml leaves to others: chr() to refuse an escape, assert a version.
        raise BadInput([unforeseen_mistake(text, path)]) from None
    if composer.mistakes:
        raise BadInput(composer.mistakes)
    return node


class _Composer:
    """Makes nodes of the parser's events, without recursion, noting the mistakes on its way."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.mistakes: list[Mistake] = []
        self.anchors: dict[str, YamlNode] = {}

    def document(self, events: Iterator[Any]) -> YamlNode:
        """The topmost node of the only document."""
        from ruamel.yaml.events import DocumentStartEvent, NodeEvent

        top: YamlNode | None = None
        for event in events:
            if isinstance(event, DocumentStartEvent) and top is not None:
                self._refuse(event, "a second document begins here", "one scenario is one file")
            elif isinstance(event, NodeEvent):
                top = self._node(event, events, depth=0)
        if top is None:
            raise BadInput([Mistake(Location(self.path), "the file is empty")])
        return top

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> YamlNode:
        from ruamel.yaml.events import AliasEvent, MappingStartEvent, ScalarEvent

        if isinstance(event, AliasEvent):
            return self._alias(event)
        if depth > DEEPEST:
            self._refuse(event, f"nested more than {DEEPEST} levels deep")
        node = YamlNode(None, event.start_mark.line + 1, event.start_mark.column + 1)
        self._check_tag(event, node)
        if isinstance(event, ScalarEvent):
            node.text, node.style = self._text(event), event.style or ""
            node.value = _scalar(node.text, event.style, str(event.ctag or ""))
        elif isinstance(event, MappingStartEvent):
            self._mapping(node, events, depth)
        else:
            self._sequence(node, events, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _mapping(self, node: YamlNode, events: Iterator[Any], depth: int) -> None:
        from ruamel.yaml.events import MappingEndEvent, ScalarEvent

        node.value = {}
        while not isinstance(event := next(events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                self._refuse(event, "a key must be a plain word")
            key = self._text(event)
            position = (event.start_mark.line + 1, event.start_mark.column + 1)
            item = self._node(next(events), events, depth + 1)
            if key in node.keys:
                self._note(*position, f"{key!r} is here twice", _first_line(node.keys[key]))
            elif key == "<<" and not event.style:
                self._note(*position, "YAML 1.2 has no merge key '<<'", "repeat the keys")
            else:
                node.value[key] = item.value
                node.keys[key] = position
                self._add(node, key, item)

    def _sequence(self, node: YamlNode, events: Iterator[Any], depth: int) -> None:
        from ruamel.yaml.events import SequenceEndEvent

        node.value = []
        while not isinstance(event := next(events), SequenceEndEvent):
            item = self._node(event, events, depth + 1)
            node.value.append(item.value)
            self._add(node, len(node.value) - 1, item)

    def _add(self, node: YamlNode, key: str | int, item: YamlNode) -> None:
        node.items[key] = item
        node.size += item.size
        if node.size > MOST_VALUES:
            raise BadInput(
                [
                    *self.mistakes,
                    Mistake(
                        Location(self.path, item.line, item.column),
                        f"more than {MOST_VALUES} values, aliases unfolded",
                    ),
                ]
            )

    def _alias(self, event: Any) -> YamlNode:
        if event.anchor not in self.anchors:
            # An anchor counts only once its value is complete, so a cycle ends here as well.
            self._refuse(event, f"no value was named '&{event.anchor}' before this")
        return self.anchors[event.anchor]

    def _text(self, event: Any) -> str:
        r"""A scalar's text; two escapes such as \ud83d\ude00 are one character, as in JSON."""
        text: str = event.value
        if _SURROGATE.search(text) is None:
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            mark = event.start_mark
            self._note(mark.line + 1, mark.column + 1, "an escape here is half a character")
            return _SURROGATE.sub("?", text)

    def _check_tag(self, event: Any, node: YamlNode) -> None:
        tag = str(event.ctag or "")
        if tag and tag != "!" and tag not in _CORE_TAGS:
            self._note(node.line, node.column, f"a scenario has no use for the tag '{tag}'")

    def _note(self, line: int, column: int, message: str, hint: str = "") -> None:
        self.mistakes.append(Mistake(Location(self.path, line, column), message, hint))

    def _refuse(self, event: Any, message: str, hint: str = "") -> None:
        mark = event.start_mark
        self._note(mark.line + 1, mark.column + 1, message, hint)
        raise BadInput(self.mistakes)


def _scalar(text: str, style: str | None, tag: str) -> Scalar:
    """What a scalar stands for: quoted ones and blocks are text, plain ones the core schema's."""
    if style or tag in ("!", "tag:yaml.org,2002:str"):
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _REAL.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _first_line(position: tuple[int, int]) -> str:
    return f"the first one is in line {position[0]}"
