"""The catalogue holds what it promises: every scenario, on both backends, by every kind of user."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lab.model.events import Event, ScenarioSkipped, Status, StepFinished, from_json
from lab.model.scenario import Backend
from lab.run.foreign import load_topology
from lab.spec.bundled import bundled
from lab.spec.scenario import load_scenario
from tests.modes.invoker import Invoker

FILES = sorted(bundled("scenarios").glob("*.lab.yaml"))
PROVEN = {
    "port-forward": "D0-01 D0-02 D0-03 D0-04 D0-05 D0-06",
    "redirect-local-port": (
        "D1-01a D1-01b D1-01c D1-01d D1-01e D1-01f"
        " D1-06a D1-06b D1-06c D1-06d D1-06e D1-06f D1-06g D1-06h D1-06i"
    ),
    "single-nic-forward": (
        "D3-01 D3-02 D3-03a D3-03b D3-03c D3-03d D3-03e D3-04a D3-04b D3-05 D3-06 D3-07 D3-08"
    ),
    "snat-masquerade": (
        "D1-09a D1-09b D1-09c D1-09d D1-09e D1-09f D1-09g D1-09h D1-09i D1-11a D1-11b D1-11c D1-11d"
    ),
}

every_scenario = pytest.mark.parametrize(
    "file", FILES, ids=[file.name.removesuffix(".lab.yaml") for file in FILES]
)


def told(invoker: Invoker, file: Path, backend: Backend) -> tuple[int, list[Event]]:
    """Run a scenario: the exit code, and what the run told."""
    options = ["--iptables", backend, "--json", "-"]
    done = invoker.run(invoker.python("-m", "lab", "run", str(file), *options))
    return done.returncode, [from_json(line) for line in done.stdout.splitlines()]


@every_scenario
@pytest.mark.parametrize("backend", Backend, ids=str)
def test_every_step_passes(invoker: Invoker, file: Path, backend: Backend) -> None:
    code, events = told(invoker, file, backend)

    for event in events:
        if isinstance(event, ScenarioSkipped):
            pytest.skip(event.reason)
    steps = [event for event in events if isinstance(event, StepFinished)]
    failed = [
        (step.name, step.reason, step.mismatches)
        for step in steps
        if step.status is not Status.PASSED
    ]
    assert failed == []
    assert len(steps) == len(load_scenario(file, load_topology).steps)
    assert code == 0


@every_scenario
def test_the_steps_prove_what_the_article_line_lists(file: Path) -> None:
    scenario = load_scenario(file, load_topology)

    assert scenario.article is not None
    assert {identifier for step in scenario.steps for identifier in step.proves} == set(
        scenario.article.experiments
    )


@pytest.mark.parametrize(("name", "experiments"), PROVEN.items(), ids=PROVEN)
def test_a_scenario_covers_its_experiments(name: str, experiments: str) -> None:
    scenario = load_scenario(bundled("scenarios") / f"{name}.lab.yaml", load_topology)

    assert {identifier for step in scenario.steps for identifier in step.proves} == set(
        experiments.split()
    )


@every_scenario
def test_a_scenario_runs_on_both_backends_unless_told_otherwise(file: Path) -> None:
    assert load_scenario(file, load_topology).backends == tuple(Backend)


@every_scenario
def test_every_step_has_a_sentence_of_its_own(file: Path) -> None:
    steps = YAML(typ="safe").load(file)["steps"]

    names = Counter(step.get("name") for step in steps)
    assert [name for name, times in names.items() if name is None or times > 1] == []
    assert [name for name in names if len(name) > 70] == []
