"""`lab ls`, `lab check` and `lab schema`: scenarios as files, without running any."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lab.cli.ending import put
from lab.model.errors import BadInput, ExitCode, Mistake
from lab.model.scenario import Scenario
from lab.report.lines import cells, padded


def list_catalogue() -> ExitCode:
    """Print name, title, article and section of every scenario that ships with the package."""
    from lab.spec.catalogue import catalogue

    rows = [(entry.name, entry.title, f"{entry.article} {entry.section}") for entry in catalogue()]
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        put("  ".join(map(padded, row, widths)))
    return ExitCode.OK


def check_files(files: Sequence[str]) -> ExitCode:
    """Read scenarios and say that they can be run; BadInput with the mistakes of all of them."""
    from lab.run.foreign import load_topology
    from lab.spec.catalogue import find_scenarios
    from lab.spec.scenario import load_scenario

    mistakes: list[Mistake] = []
    for path in find_scenarios(files):
        try:
            scenario = load_scenario(path, load_topology)
        except BadInput as error:
            mistakes += error.mistakes
        else:
            put(f"{path}: ok, {_extent(scenario)}")
    if mistakes:
        raise BadInput(mistakes)
    return ExitCode.OK


def _extent(scenario: Scenario) -> str:
    nodes, steps = len(scenario.topology.nodes), len(scenario.steps)
    backends = " and ".join(scenario.backends)
    return (
        f"{nodes} {'node' if nodes == 1 else 'nodes'}, "
        f"{steps} {'step' if steps == 1 else 'steps'}, iptables {backends}"
    )


def print_schema(*, events: bool) -> ExitCode:
    """Print the JSON Schema of scenario files, or that of a line of JSON events."""
    put(json.dumps(_event_schema() if events else _scenario_schema(), indent=2))
    return ExitCode.OK


def _event_schema() -> dict[str, Any]:
    from lab.report.json_lines import event_schema

    return event_schema()


def _scenario_schema() -> dict[str, Any]:
    from lab.spec.schema import json_schema

    return json_schema()
