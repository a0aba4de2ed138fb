"""Widths in terminal cells, and lines cut and broken to fit them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.report.lines import Line, Page, Span, Style, cells, folded, padded, trimmed

PRINTABLE = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs", "Mn"]))


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("port 80", 7), ("端口转发", 8), ("e\u0301", 1), ("✓ 22.22.22.22", 13)],
)
def test_width_is_counted_in_cells(text: str, width: int) -> None:
    assert cells(text) == width


def test_padding_counts_cells() -> None:
    assert padded("端口", 6) == "端口  "


def test_what_fits_is_not_cut() -> None:
    assert str(trimmed(Line.of("conntrack"), 9, unicode=True)) == "conntrack"


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    assert str(trimmed(Line.of("conntrack"), 8, unicode=True)) == "conntra…"
    assert str(trimmed(Line.of("conntrack"), 8, unicode=False)) == "connt..."


def test_a_cut_keeps_the_styles_before_it() -> None:
    line = Line((Span("tcp ", Style.GOOD), Span("ESTABLISHED", Style.DIM)))
    assert trimmed(line, 8, unicode=True) == Line(
        (Span("tcp ", Style.GOOD), Span("EST…", Style.DIM))
    )


def test_lines_break_between_words_and_hang() -> None:
    line = Line.of("    10.10.10.10:40312 > 22.22.22.22:80 connected")
    assert [str(part) for part in folded(line, 30, hang=8)] == [
        "    10.10.10.10:40312 >",
        "        22.22.22.22:80",
        "        connected",
    ]


def test_a_word_wider_than_the_line_is_cut() -> None:
    assert [str(part) for part in folded(Line.of("a " + "x" * 9), 5, hang=0)] == [
        "a",
        "xxxxx",
        "xxxx",
    ]


def test_chinese_text_breaks_anywhere() -> None:
    assert [str(part) for part in folded(Line.of("单网卡的端口转发"), 7, hang=0)] == [
        "单网卡",
        "的端口",
        "转发",
    ]


@given(text=PRINTABLE, width=st.integers(6, 40), hang=st.integers(0, 50))
def test_folding_fits_and_loses_nothing_but_spaces(text: str, width: int, hang: int) -> None:
    parts = folded(Line.of(text), width, hang)
    assert all(cells(str(part)) <= width for part in parts)
    assert "".join("".join(str(part).split()) for part in parts) == "".join(text.split())


@given(text=PRINTABLE, width=st.integers(3, 40))
def test_cutting_fits(text: str, width: int) -> None:
    assert trimmed(Line.of(text), width, unicode=True).cells <= width


def test_a_log_has_no_width() -> None:
    line = Line.of("x" * 200)
    assert Page(width=80).fit(line, hang=4) == [line]
    assert Page(width=80).cut(line) == line
