"""Playing scenarios: ``play(STEPS)`` runs them for real and returns what was told of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from lab.model.events import ScenarioSkipped
from tests.steps.playing import PAIR, Played, Player, written


class Play(Protocol):
    """Runs steps, in a topology, with a backend of iptables."""

    def __call__(self, steps: str, topology: str = PAIR, iptables: str = "nft") -> Played: ...


@pytest.fixture(scope="session")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    home = tmp_path_factory.mktemp("home")
    running = Player({"HOME": str(home), "LC_ALL": "C.UTF-8"})
    yield running
    running.close()


@pytest.fixture
def play(player: Player, tmp_path: Path) -> Play:
    def run(steps: str, topology: str = PAIR, iptables: str = "nft") -> Played:
        played = player.play(written(tmp_path / "scenario", steps, topology, iptables))
        for skip in played.all(ScenarioSkipped):
            pytest.skip(skip.reason)
        return played

    return run


@pytest.fixture(params=["nft", "legacy"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each backend of iptables."""
    return str(request.param)
