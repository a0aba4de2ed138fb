"""What the tests of the scenario file share: scenarios from texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from lab.model.errors import BadInput
from lab.model.scenario import Scenario, Step
from lab.spec.scenario import parse_scenario
from tests.spec.plain_loader import plain_loader

Read = Callable[[str], Scenario]
ReadSteps = Callable[[str], tuple[Step, ...]]
Mistakes = Callable[[str], list[str]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a scenario from its text, as if it stood in the test's own folder."""

    def read_text(text: str) -> Scenario:
        return parse_scenario(dedent(text), tmp_path / "test.lab.yaml", plain_loader)

    return read_text


@pytest.fixture
def read_steps(read: Read) -> ReadSteps:
    """Read steps on the topology single-nic."""

    def read_text(text: str) -> tuple[Step, ...]:
        return read(f"topology: single-nic\nsteps:\n{dedent(text)}").steps

    return read_text


@pytest.fixture
def mistakes(read: Read) -> Mistakes:
    """The messages of a scenario that has mistakes, in the file's order."""

    def read_text(text: str) -> list[str]:
        with pytest.raises(BadInput) as caught:
            read(text)
        return [mistake.message for mistake in caught.value.mistakes]

    return read_text
