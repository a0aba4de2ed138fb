from __future__ import annotations

import pytest

from lab.spec.misfit import Misfit
from lab.spec.quantities import parse_count, parse_duration, parse_exit, parse_port


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(2, 2.0), (0.25, 0.25), ("500ms", 0.5), ("2s", 2.0), ("1.5 s", 1.5), ("1m", 60), ("1h", 3600)],
)
def test_durations(written: object, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    [0, -1, "0s", "25h", "2", "s", "2 seconds", True, None, [], float("nan"), float("inf")],
)
def test_what_is_no_duration(written: object) -> None:
    with pytest.raises(Misfit):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "fits", "fits_not"),
    [
        (3, {3}, {2, 4}),
        ("3", {3}, {2, 4}),
        ("=3", {3}, {2, 4}),
        (">=1", {1, 99}, {0}),
        ("> 1", {2, 99}, {1}),
        ("<3", {0, 2}, {3}),
        ("<=3", {0, 3}, {4}),
        ("1..3", {1, 2, 3}, {0, 4}),
        ("1 .. 1", {1}, {0, 2}),
    ],
)
def test_counts(written: object, fits: set[int], fits_not: set[int]) -> None:
    count = parse_count(written)
    assert all(count.matches(number) for number in fits)
    assert not any(count.matches(number) for number in fits_not)


@pytest.mark.parametrize("written", [-1, "- 1", "3..1", "<0", "some", 1.5, True, None, "1...3"])
def test_what_is_no_count(written: object) -> None:
    with pytest.raises(Misfit):
        parse_count(written)


def test_ports() -> None:
    assert parse_port("65535") == 65535
    for text in ("0", "65536", "http", "", "٣", "9" * 99):
        with pytest.raises(Misfit):
            parse_port(text)


def test_exit_codes() -> None:
    assert parse_exit(0) == 0
    assert parse_exit("nonzero") is None
    for value in (256, -1, "zero", True, None):
        with pytest.raises(Misfit):
            parse_exit(value)
