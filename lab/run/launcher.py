"""Starting the labs of a run: what they have in common is found out once, before the first."""

from __future__ import annotations

from collections.abc import Iterable

from lab.model.scenario import Backend, Scenario, Serve
from lab.run.exposure import root_plan, scenario_paths
from lab.run.runner import Variant, run_variant
from lab.sandbox.fence import choose
from lab.sandbox.launch import Launched, launch
from lab.sandbox.server_binary import server_binary
from lab.sandbox.toolbox import find_backend
from lab.spec.bundled import bundled
from lab.steps.stage import DEFAULT_PATIENCE, Patience


class Launcher:
    """Starts variants of scenarios, each in a sandbox of its own."""

    def __init__(self, scenarios: Iterable[Scenario], backends: Iterable[Backend]) -> None:
        """Look for all that these need; Missing for what the machine lacks."""
        self._fence = choose()
        for backend in set(backends):
            find_backend(backend)
        serves = any(
            isinstance(step.action, Serve) for scenario in scenarios for step in scenario.steps
        )
        self._server = str(server_binary(bundled("origdst") / "origdst.c")) if serves else None

    def start(
        self, variant: Variant, *, fail_fast: bool = False, patience: Patience = DEFAULT_PATIENCE
    ) -> Launched:
        """Start the lab of a variant; see ``lab.sandbox.launch.launch``."""
        scenario = variant.scenario
        paths = scenario_paths(scenario.path, scenario.files)
        plan = root_plan(self._fence, variant.backend, paths, self._server)
        return launch(
            self._fence,
            plan,
            lambda events: run_variant(variant, events, fail_fast=fail_fast, patience=patience),
        )
