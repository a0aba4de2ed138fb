"""docs/scenario.md says what the models say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.model.scenario import Scenario
from lab.spec.expectations import FITTING
from lab.spec.reference import with_tables
from lab.spec.schema import json_schema
from lab.spec.topology import bundled_topologies
from tests.spec.conftest import Read

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "scenario.md"
TEXT = DOCUMENT.read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_tables_are_up_to_date() -> None:
    assert with_tables(TEXT) == TEXT, f"run: python -m lab.spec.reference {DOCUMENT}"


def test_a_text_without_a_place_for_the_tables_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        with_tables("# A text")


def test_every_key_is_in_the_tables() -> None:
    for model in [json_schema(), *json_schema()["$defs"].values()]:
        for key in model["properties"]:
            assert f"\n| `{key}` |" in TEXT


def test_links_within_the_document_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= anchors


def test_every_bundled_topology_is_told() -> None:
    for name in bundled_topologies():
        assert f"| `{name}` |" in TEXT


def test_what_fits_which_verb_is_told() -> None:
    rows = re.findall(r"^\| (`.*?`) \| (yes|) ?\| (yes|) ?\| (yes|) ?\|$", TEXT, re.MULTILINE)
    told = {
        verb: {key for row in rows if row[column] for key in re.findall(r"`(\w+)`", row[0])}
        for column, verb in enumerate(("run", "connect", "ping"), start=1)
    }
    assert told == {verb: set(keys) for verb, keys in FITTING.items()}


def test_the_first_example_is_a_scenario(read: Read) -> None:
    assert isinstance(read(EXAMPLES[0]), Scenario)


def test_the_example_of_a_topology_is_one(read: Read) -> None:
    (example,) = [text for text in EXAMPLES if text.startswith("topology:")]
    scenario = read(f"{example}\nsteps:\n  - ping: {{from: client, to: server}}\n")
    assert len(scenario.topology.links) == 3


def test_the_example_of_a_class_is_one(read: Read, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "office.py").write_text(example)
    scenario = read("topology: office.py:Office(desks=3)\nsteps: [{on: router, run: date}]\n")
    assert [node.name for node in scenario.topology.nodes] == [
        "router",
        "lan",
        "desk1",
        "desk2",
        "desk3",
    ]
