"""Locales and outputs for the tests of the report."""

from __future__ import annotations

import locale
from collections.abc import Iterator

import pytest

from tests.report.streams import Log, Screen


@pytest.fixture(autouse=True)
def utf8_locale() -> Iterator[None]:
    """A locale that expects UTF-8, as nearly all do."""
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    yield
    locale.setlocale(locale.LC_CTYPE, before)


@pytest.fixture
def c_locale(utf8_locale: None) -> None:
    """A locale that expects ASCII."""
    locale.setlocale(locale.LC_CTYPE, "C")


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def ascii_log() -> Log:
    return Log("ascii")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A terminal of 80 columns and 256 colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    return Screen()
