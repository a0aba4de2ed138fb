"""`lab run`: from scenario names to events, over the matrix and side by side."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

from lab import __version__
from lab.model.errors import BadInput, ExitCode, Location, Missing, Mistake
from lab.model.events import Event, RunStarted, ScenarioFinished, ScenarioSkipped
from lab.model.scenario import Backend, Scenario, Serve
from lab.run.exposure import root_plan, scenario_paths
from lab.run.labs import run_labs
from lab.run.remembered import load
from lab.run.request import RunRequest
from lab.run.runner import Variant, run_variant
from lab.run.selection import parse_selection
from lab.run.tally import Tally
from lab.sandbox.fence import choose
from lab.sandbox.launch import Launched, launch
from lab.sandbox.server_binary import server_binary
from lab.sandbox.toolbox import find_backend
from lab.spec.bundled import bundled
from lab.spec.catalogue import find_scenarios
from lab.steps.stage import DEFAULT_PATIENCE, Patience

Emit = Callable[[Event], None]


def run_scenarios(request: RunRequest, emit: Emit) -> ExitCode:
    """Run what was asked for; the exit code of the whole.

    Raises BadInput for mistakes (nothing has run then), Missing for what the machine lacks. An
    exception of ``emit`` ends all labs and is passed on.
    """
    scenarios = _selected(load_all(find_scenarios(request.scenarios)), request.select)
    variants = variants_of(scenarios, request.iptables)
    return run_variants(variants, request, emit)


def load_all(paths: Iterable[Path]) -> list[Scenario]:
    """Read scenarios; BadInput with the mistakes of all their files together."""
    scenarios: list[Scenario] = []
    mistakes: list[Mistake] = []
    for path in paths:
        try:
            scenarios.append(load(path))
        except BadInput as error:
            mistakes += error.mistakes
    if mistakes:
        raise BadInput(mistakes)
    return scenarios


def variants_of(scenarios: Iterable[Scenario], iptables: str | None) -> list[Variant]:
    """Spread scenarios over their matrix, or over the backends that the command names.

    ``iptables`` is as in RunRequest.
    """
    pairs = [
        (scenario, backend) for scenario in scenarios for backend in _backends(scenario, iptables)
    ]
    return [
        Variant(number, scenario, backend) for number, (scenario, backend) in enumerate(pairs, 1)
    ]


def _backends(scenario: Scenario, iptables: str | None) -> tuple[Backend, ...]:
    if iptables is None:
        return scenario.backends
    return tuple(Backend) if iptables == "all" else (Backend(iptables),)


def run_variants(
    variants: Sequence[Variant],
    request: RunRequest,
    emit: Emit,
    patience: Patience = DEFAULT_PATIENCE,
) -> ExitCode:
    """Run variants and tell their events; see ``run_scenarios``."""
    fence = choose()
    for backend in {variant.backend for variant in variants}:
        find_backend(backend)
    server = _test_server(variants)

    def start(variant: Variant) -> Launched:
        scenario = variant.scenario
        paths = scenario_paths(scenario.path, scenario.files)
        plan = root_plan(fence, variant.backend, paths, server)
        return launch(
            fence,
            plan,
            lambda events: run_variant(
                variant, events, fail_fast=request.fail_fast, patience=patience
            ),
        )

    tally = Tally()
    begin = RunStarted(version=__version__, kernel=platform.release(), scenarios=len(variants))
    tally.event(begin)
    emit(begin)
    jobs = request.jobs or os.cpu_count() or 1
    with closing(run_labs(variants, jobs, start)) as events:
        for event in events:
            _refuse_skip_of_the_named(event, request)
            emit(event)
            tally.event(event)
            if request.fail_fast and tally.failed and isinstance(event, ScenarioFinished):
                break
    emit(tally.last(interrupted=False, broken=False))
    return tally.exit_code


def _selected(scenarios: list[Scenario], expression: str | None) -> list[Scenario]:
    if expression is None:
        return scenarios
    fits = parse_selection(expression)
    selected = [scenario for scenario in scenarios if fits(scenario.name)]
    if not selected:
        names = ", ".join(dict.fromkeys(scenario.name for scenario in scenarios))
        here = Location(f"-k '{expression}'")
        raise BadInput([Mistake(here, "no scenario has a name that fits", f"names: {names}")])
    return selected


def _test_server(variants: Iterable[Variant]) -> str | None:
    """Compile the test server if any scenario serves."""
    serves = any(
        isinstance(step.action, Serve) for variant in variants for step in variant.scenario.steps
    )
    return str(server_binary(bundled("origdst") / "origdst.c")) if serves else None


def _refuse_skip_of_the_named(event: Event, request: RunRequest) -> None:
    """A variant that the command itself asked for must not be skipped quietly."""
    if isinstance(event, ScenarioSkipped) and request.iptables is not None:
        raise Missing(f"iptables {event.iptables}", event.reason, event.command)
