"""Labs for the tests of the sandbox: one for all of a file's tests, or a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from tests.modes.invoker import Invoker
from tests.sandbox.labs import RunningLab


class StartLab(Protocol):
    """Starts a lab, as RunningLab does, that ends with the test."""

    def __call__(self, topology: str = "pair", **options: Any) -> RunningLab: ...


@pytest.fixture(scope="module")
def lab(invoker: Invoker) -> Iterator[RunningLab]:
    """A lab that a file's tests share: they leave its nodes as they were."""
    running = RunningLab(invoker, "routed")
    yield running
    assert running.end() == 0


@pytest.fixture
def start_lab(invoker: Invoker) -> Iterator[StartLab]:
    """Labs of a test's own."""
    started: list[RunningLab] = []

    def start(topology: str = "pair", **options: Any) -> RunningLab:
        started.append(RunningLab(invoker, topology, **options))
        return started[-1]

    yield start
    for running in started:
        running.end()
