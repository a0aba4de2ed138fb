from __future__ import annotations

import math
from textwrap import dedent
from typing import Any

import pytest

from lab.model.errors import BadInput
from lab.spec.yaml_text import MOST_VALUES, read_yaml


def value(text: str) -> Any:
    return read_yaml(dedent(text), "test.yaml").value


def told(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read_yaml(dedent(text), "test.yaml")
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "y", "2024-01-31", "12:30", "22:22:22"])
def test_what_older_yaml_took_for_something_else_is_text(word: str) -> None:
    assert value(f"{word}: {word}") == {word: word}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", 80),
        ("-1", -1),
        ("003", 3),
        ("0x1f", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("192.168.1.1", "192.168.1.1"),
        ("True story", "True story"),
    ],
)
def test_plain_words_are_what_yaml_1_2_says(text: str, expected: object) -> None:
    assert value(f"key: {text}") == {"key": expected}


def test_not_a_number_is_a_number() -> None:
    assert math.isnan(value("key: .NaN")["key"])


@pytest.mark.parametrize("text", ['"80"', "'80'", "!!str 80", "|\n  80", ">-\n  80"])
def test_what_is_quoted_is_text(text: str) -> None:
    assert value(f"key: {text}")["key"].strip() == "80"


def test_a_number_beyond_all_sizes_is_text() -> None:
    digits = "9" * 5000
    assert value(f"key: {digits}") == {"key": digits}


def test_a_yaml_1_1_directive_changes_nothing() -> None:
    assert value("%YAML 1.1\n---\non: yes\n") == {"on": "yes"}


def test_keys_are_text() -> None:
    assert value("{1: a, true: b, null: c}") == {"1": "a", "true": "b", "null": "c"}


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert value("\ufeffkey: 1") == {"key": 1}


def test_positions_count_from_one() -> None:
    node = read_yaml("a: 1\nsteps:\n  - on: b\n    to: {x: [1, 22]}\n", "test.yaml")
    first = node.find(("steps", 0))
    assert (first.line, first.column) == (3, 5)
    assert node.key_position(("steps", 0, "to")) == (4, 5)
    number = node.find(("steps", 0, "to", "x", 1))
    assert (number.line, number.column, number.text) == (4, 17, "22")


def test_the_position_of_what_is_missing_is_that_of_what_surrounds_it() -> None:
    node = read_yaml("steps:\n  - on: b\n", "test.yaml")
    assert node.find(("steps", 0, "expect", "server")) is node.find(("steps", 0))
    assert node.key_position(("steps", 0, "expect")) == (2, 5)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("run: |\n  first\n", 2),
        ("run: |-  # a comment\n  first\n", 2),
        ("run: |+\n\n  second, after an empty first\n", 2),
        ("run: >\n  first\n", 2),
        ("run: first\n", 1),
        ("run: 'first'\n", 1),
        ("run:\n  first\n", 2),
        ('{"run": "first"}', 1),
    ],
)
def test_a_script_begins_where_its_first_line_stands(text: str, line: int) -> None:
    assert read_yaml(text, "test.yaml").find(("run",)).content_line == line


def test_an_alias_stands_for_its_anchor() -> None:
    assert value("a: &rules [x, y]\nb: *rules\n") == {"a": ["x", "y"], "b": ["x", "y"]}


def test_a_second_anchor_of_one_name_takes_over() -> None:
    assert value("[&a 1, *a, &a 2, *a]") == [1, 1, 2, 2]


def test_an_alias_inside_of_its_anchor_is_refused() -> None:
    assert told("a: &a [*a]") == ["test.yaml:1:8: no value was named '&a' before this"]


def test_aliases_cannot_unfold_without_end() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"b{number}: &a [{', '.join(['*a'] * 10)}]" for number in range(30)]
    (mistake,) = told("\n".join(lines))
    assert mistake.endswith(f"more than {MOST_VALUES} values, aliases unfolded")


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 10_000, "{a: " * 10_000])
def test_nesting_has_an_end(text: str) -> None:
    (mistake,) = told(text)
    assert "nested more than 32 levels deep" in mistake


def test_all_repeated_keys_are_told() -> None:
    assert told("a: 1\nb: 2\na: 3\nc: {d: 4, d: 5}\n") == [
        "test.yaml:3:1: 'a' is here twice\n    the first one is in line 1",
        "test.yaml:4:11: 'd' is here twice\n    the first one is in line 4",
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# a comment\n", "---\n...\n"])
def test_a_file_without_a_document_is_told_to_be_empty(text: str) -> None:
    if text.startswith("---"):
        assert value(text) is None
    else:
        assert told(text) == ["test.yaml: the file is empty"]


def test_two_escapes_can_be_one_character() -> None:
    assert value(r'key: "\ud83d\ude00"') == {"key": "\U0001f600"}


def test_half_a_character_is_refused() -> None:
    assert told(r'key: "\ud83d"') == ["test.yaml:1:6: an escape here is half a character"]


def test_an_escape_beyond_the_last_character_is_refused() -> None:
    (mistake,) = told(r'key: "\U00110000"')
    assert mistake.startswith("test.yaml:1:7: ")
