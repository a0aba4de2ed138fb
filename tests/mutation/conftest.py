"""The command that mutates scenarios, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
# Far more than the longest of them takes, even on a busy machine.
DEADLINE = 300

Mutate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def mutate(tmp_path_factory: pytest.TempPathFactory) -> Mutate:
    """Run `python -m tools.mutation ARGUMENT...` and wait for its end."""
    home = tmp_path_factory.mktemp("home")

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tools.mutation", *map(str, arguments)],
            cwd=CHECKOUT,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    return run


@pytest.fixture
def assert_nothing_survives(mutate: Mutate) -> Callable[[str], None]:
    """Mutate a scenario of the catalogue in all of its variants that this machine has."""

    def check(scenario: str) -> None:
        ended = mutate(scenario, "--json", "-")
        assert ended.stdout, ended.stderr
        found = json.loads(ended.stdout)
        assert list(_got_through(found)) == []
        assert ended.returncode == 0
        skipped = [f"{case['iptables']}: {case['skipped']}" for case in found["cases"]]
        if any(case["skipped"] for case in found["cases"]):
            pytest.skip("; ".join(skipped))

    return check


def _got_through(found: dict[str, Any]) -> Iterator[str]:
    yield from found["stale"]
    for case in found["cases"]:
        if case["fault"]:
            yield f"{case['iptables']}: {case['fault']}"
        for mutant in case["mutants"]:
            if mutant["verdict"] == "survived":
                yield f"{mutant['location']} {case['iptables']}: {mutant['what']}"
