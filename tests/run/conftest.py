"""Scenarios in a folder of their own, and the command that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.run.command import Command, Ran
from tests.steps.playing import PAIR, written


class Start(Protocol):
    """Starts the command; ``prefix`` is what it is started by."""

    def __call__(self, *arguments: str, prefix: tuple[str, ...] = ()) -> Command: ...


class Run(Protocol):
    """Runs the command to its end."""

    def __call__(self, *arguments: str, prefix: tuple[str, ...] = ()) -> Ran: ...


class Write(Protocol):
    """Writes a scenario of that name and returns the name of its file."""

    def __call__(
        self, steps: str, name: str = "first", topology: str = PAIR, iptables: str = "nft"
    ) -> str: ...


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def start(tmp_path: Path, home: Path) -> Iterator[Start]:
    started: list[Command] = []

    def begin(*arguments: str, prefix: tuple[str, ...] = ()) -> Command:
        started.append(Command(arguments, tmp_path, home, prefix))
        return started[-1]

    yield begin
    for command in started:
        command.close()


@pytest.fixture
def run(start: Start) -> Run:
    def to_the_end(*arguments: str, prefix: tuple[str, ...] = ()) -> Ran:
        return start(*arguments, prefix=prefix).end()

    return to_the_end


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def scenario(
        steps: str, name: str = "first", topology: str = PAIR, iptables: str = "nft"
    ) -> str:
        path = written(tmp_path, steps, topology, iptables)
        path.rename(path.with_name(f"{name}.lab.yaml"))
        return f"{name}.lab.yaml"

    return scenario
