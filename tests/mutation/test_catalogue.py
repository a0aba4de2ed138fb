"""No scenario of the catalogue goes without mutation testing."""

from __future__ import annotations

from pathlib import Path

from lab.spec.catalogue import catalogue


def test_each_scenario_of_the_catalogue_has_a_test() -> None:
    tested = {path.stem for path in Path(__file__).parent.glob("test_scenario_*.py")}
    expected = {f"test_scenario_{entry.name.replace('-', '_')}" for entry in catalogue()}
    assert tested == expected
