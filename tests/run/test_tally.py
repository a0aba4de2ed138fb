"""The sums of a run."""

from __future__ import annotations

from lab.model.events import RunFinished
from lab.run.tally import Tally
from tests.report.runs import LAB_DIED, lab_events, run_started, skipped_variant, whole_run


def tally_of(events: list) -> Tally:
    tally = Tally()
    for event in events:
        tally.event(event)
    return tally


def test_a_whole_run_tells_its_own_sums() -> None:
    events = whole_run()
    assert tally_of(events).last(interrupted=False, broken=False) is events[-1]


def test_a_run_cut_short_has_the_sums_so_far() -> None:
    last = tally_of([run_started(), *lab_events(), skipped_variant()]).last(
        interrupted=True, broken=False
    )
    assert (last.passed, last.failed, last.skipped) == (2, 1, 2)
    assert last.interrupted
    assert last.broken == 0


def test_labs_that_broke_are_counted() -> None:
    last = tally_of([run_started(), LAB_DIED, LAB_DIED]).last(interrupted=False, broken=True)
    assert last.broken == 2


def test_a_run_begins_with_its_first_event() -> None:
    assert not Tally().begun
    assert tally_of([run_started()]).begun


def test_a_run_that_broke_without_a_word_counts_as_one() -> None:
    last = Tally().last(interrupted=False, broken=True)
    assert last == RunFinished(passed=0, failed=0, skipped=0, seconds=0.0, broken=1)
