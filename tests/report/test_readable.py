"""What nodes print is shown, not obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given

from lab.model.events import CommandRan, Event, Mismatch, Status
from lab.report.readable import duration, message, printable, readable
from tests.report.runs import ANY_EVENT, ANY_TEXT, step_finished


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "^[[31mred"),
        ("bell\x07 delete\x7f", "bell^G delete^?"),
        ("right\u202eto left", "right\\u202eto left"),
        ("not UTF-8: \udcff", "not UTF-8: \\udcff"),
        ("a\tb", "a       b"),
        ("端口", "端口"),
    ],
)
def test_control_characters_are_shown(text: str, shown: str) -> None:
    assert printable(text, unicode=True) == shown


def test_ascii_draws_boxes_and_escapes_the_rest() -> None:
    assert printable("a ─┬─ b … 端", unicode=False) == "a -+- b ... \\u7aef"


@given(text=ANY_TEXT)
def test_printable_text_has_no_control_character(text: str) -> None:
    assert printable(text, unicode=False).isascii()
    shown = printable(text, unicode=True)
    assert all(character.isprintable() or character.isspace() for character in shown)
    assert "\n" not in shown
    shown.encode()


def test_outputs_keep_their_lines_and_names_are_one_line() -> None:
    ran = CommandRan(
        lab=1, step=1, node="a\nb", command="x", exit=0, stdout="one\r\ntwo\x1b\n", stderr=""
    )
    shown = readable(ran, unicode=True)
    assert shown.stdout == "one\ntwo^["
    assert shown.node == "a b"


def test_records_within_an_event_are_made_readable_too() -> None:
    mismatch = Mismatch(field="stdout", expected="a", observed="\x00")
    step = step_finished(1, "x", "run", Status.FAILED, mismatches=(mismatch,))
    assert readable(step, unicode=True).mismatches[0].observed == "^@"


@given(event=ANY_EVENT)
def test_any_event_becomes_readable(event: Event) -> None:
    repr(readable(event, unicode=False)).encode("ascii")
    assert readable(readable(event, unicode=True), unicode=True) == readable(event, unicode=True)


def test_a_message_keeps_its_lines() -> None:
    assert message("a.lab.yaml:1:1: \x1b\n    hint") == "a.lab.yaml:1:1: ^[\n    hint"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "<1 ms"),
        (0.0004, "<1 ms"),
        (0.0031, "3 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (1.25, "1.2 s"),
        (59.96, "1 min 0 s"),
        (134.6, "2 min 15 s"),
    ],
)
def test_times_are_told_as_people_read_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
