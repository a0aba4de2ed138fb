"""Markings of what is not needed, and why it is there all the same."""

from __future__ import annotations

import pytest

from tools.mutation.marking import scenario_markings, why_unneeded


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        ("# unneeded: the article has it", "the article has it"),
        ("#unneeded:  twice ", "twice"),
        ("# needed", ""),
        ("# unneeded:", ""),
        ("# not unneeded: at all", ""),
    ],
)
def test_a_comment_that_marks_gives_its_reason(comment: str, why: str) -> None:
    assert why_unneeded(comment) == why


def test_a_scenario_marks_what_its_topology_sets_up() -> None:
    lines = ["name: a", "# unneeded: b: default via 10.0.0.1: nobody asks", "  # unneeded: c: d: e"]
    (marking,) = scenario_markings(lines, "a.lab.yaml")
    assert marking.location.line == 2
    assert marking.why("b: default via 10.0.0.1") == "nobody asks"
    assert marking.why("b: default") == ""
