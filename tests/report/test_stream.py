"""Who reads the events of a run, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.events import Event, RunFinished
from lab.report.stream import FanOut, InOrder
from tests.report.runs import lab_events, run_started, shuffled_labs, skipped_variant, whole_run


class Notes:
    """A reader that remembers what it got, and refuses after so many events."""

    def __init__(self, patience: int = 1000) -> None:
        self.events: list[Event] = []
        self.closed = False
        self._patience = patience

    def event(self, event: Event) -> None:
        if len(self.events) == self._patience:
            raise OSError("full")
        self.events.append(event)

    def close(self) -> None:
        self.closed = True


def test_every_reader_gets_every_event() -> None:
    first, second = Notes(), Notes()
    readers = FanOut([first, second])
    for event in whole_run():
        readers.event(event)
    readers.close()
    assert first.events == second.events == whole_run()
    assert first.closed
    assert second.closed


def test_a_reader_that_fails_is_told_and_the_others_go_on() -> None:
    failing, sound = Notes(patience=2), Notes()
    readers = FanOut([failing, sound])
    refused = 0
    for event in whole_run():
        try:
            readers.event(event)
        except OSError:
            refused += 1
    assert refused == 1
    assert len(failing.events) == 2
    assert sound.events == whole_run()


def test_closing_reaches_every_reader_although_one_fails() -> None:
    class Unclosable(Notes):
        def close(self) -> None:
            raise OSError("full")

    sound = Notes()
    readers = FanOut([Unclosable(), sound])
    with pytest.raises(OSError, match="full"):
        readers.close()
    assert sound.closed


def in_order(events: list[Event]) -> list[Event]:
    order = InOrder()
    return [shown for event in events for shown in order.take(event)]


def labs_of(events: list[Event]) -> list[int]:
    return [event.lab for event in events if hasattr(event, "lab")]


def test_a_single_lab_is_shown_as_it_comes() -> None:
    order = InOrder()
    for event in whole_run():
        assert order.take(event) == (event,)


def test_a_later_lab_waits_for_the_earlier_one() -> None:
    order = InOrder()
    first, second = lab_events(1), lab_events(2)
    assert order.take(run_started(2)) == (run_started(2),)
    for event in second:
        assert order.take(event) == ()
    for event in first[:-1]:
        assert order.take(event) == (event,)
    assert order.take(first[-1]) == (first[-1], *second)


def test_a_skipped_variant_passes_the_turn_on() -> None:
    order = InOrder()
    started = lab_events(2)[0]
    assert order.take(started) == ()
    assert order.take(skipped_variant(1)) == (skipped_variant(1), started)
    assert order.take(lab_events(2)[1]) == (lab_events(2)[1],)


def test_what_never_ended_is_shown_when_the_run_ends() -> None:
    order = InOrder()
    kept = [*lab_events(3)[:2], *lab_events(2)[:3]]
    for event in kept:
        assert order.take(event) == ()
    end = RunFinished(passed=0, failed=0, skipped=0, seconds=0.1, interrupted=True)
    assert order.take(end) == (*lab_events(2)[:3], *lab_events(3)[:2], end)


@given(labs=st.integers(1, 4), order=st.lists(st.integers(0, 3), max_size=60))
def test_any_interleaving_is_shown_lab_by_lab(labs: int, order: list[int]) -> None:
    events = shuffled_labs(labs, order)
    shown = in_order(events)
    assert labs_of(shown) == sorted(labs_of(shown))
    assert sorted(map(repr, shown)) == sorted(map(repr, events))
    assert [event for event in shown if event in lab_events(labs)] == lab_events(labs)
