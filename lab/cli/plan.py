"""`lab plan`: what would be done to build a scenario's topology, and nothing else."""

from __future__ import annotations

from lab.model.errors import ExitCode
from lab.plan.operations import Plan, describe
from lab.plan.planner import plan
from lab.plan.shell import script
from lab.run.command import load_all
from lab.spec.catalogue import find_scenarios


def print_plan(scenario: str, *, shell: bool) -> ExitCode:
    """Print the plan of a scenario's topology, as a list or as a shell script."""
    for loaded in load_all(find_scenarios([scenario])):
        planned = plan(loaded.topology)
        print(script(planned) if shell else _listing(planned), end="")
    return ExitCode.OK


def _listing(planned: Plan) -> str:
    lines = [f"{node}: make a network namespace" for node in planned.nodes]
    lines += [f"{each.node}: set {each.key}={each.value}" for each in planned.before]
    lines += [
        f"{batch.node}: {describe(operation)}"
        for batch in planned.batches
        for operation in batch.operations
    ]
    lines += [f"{each.node}: set {each.key}={each.value}" for each in planned.after]
    return "\n".join(lines) + "\n"
