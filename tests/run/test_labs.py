"""Many labs side by side: how many, in which order, and how their ends are told."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lab.model.events import Event, ScenarioFinished, StepStarted, to_json
from lab.model.scenario import Backend, Scenario
from lab.model.topology import Topology
from lab.run.labs import RunnerFault, run_labs
from lab.run.runner import Variant
from lab.sandbox.launch import Launched

Life = Callable[[Variant, int], int]


def variants(count: int) -> list[Variant]:
    scenario = Scenario("played", "/played.lab.yaml", Topology("none", ()), ())
    return [Variant(number, scenario, Backend.NFT) for number in range(1, count + 1)]


def begun(variant: Variant) -> Event:
    return StepStarted(lab=variant.number, step=1, name="begin", verb="run", on="a", line=1)


def ended(variant: Variant, broken: str = "") -> ScenarioFinished:
    return ScenarioFinished(
        lab=variant.number,
        scenario="played",
        iptables="nft",
        passed=0,
        failed=0,
        skipped=0,
        seconds=0.0,
        broken=broken,
    )


def tell(events: int, *told: Event) -> None:
    os.write(events, "".join(to_json(event) + "\n" for event in told).encode())


class Labs:
    """Forks in place of labs; the life of each is given its event pipe and returns its code."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self.launched: list[Launched] = []
        self.most = 0

    def launch(self, variant: Variant) -> Launched:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(reader)
                code = self._life(variant, writer)
            finally:
                os._exit(code)
        os.close(writer)
        self.launched.append(Launched(pid, reader))
        self.most = max(self.most, len(self.alive()))
        return self.launched[-1]

    def alive(self) -> list[int]:
        """Those not yet collected."""
        return [lab.pid for lab in self.launched if Path(f"/proc/{lab.pid}").exists()]


def simple(variant: Variant, events: int) -> int:
    tell(events, begun(variant), ended(variant))
    return 0


@pytest.fixture
def labs_of() -> Iterator[Callable[[Life], Labs]]:
    """Makes labs; when a test is over, each of them must have been collected."""
    made: list[Labs] = []

    def make(life: Life) -> Labs:
        made.append(Labs(life))
        return made[-1]

    yield make
    assert [labs.alive() for labs in made] == [[] for _ in made]


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_no_more_labs_run_at_once_than_asked_for(
    labs_of: Callable[[Life], Labs], jobs: int
) -> None:
    labs = labs_of(simple)
    events = list(run_labs(variants(5), jobs, labs.launch))
    assert labs.most <= jobs
    assert len(labs.launched) == 5
    for variant in variants(5):
        of_lab = [event for event in events if event.lab == variant.number]
        assert of_lab == [begun(variant), ended(variant)]


def test_a_lab_is_started_when_another_ends(labs_of: Callable[[Life], Labs]) -> None:
    labs = labs_of(simple)
    order = [event.lab for event in run_labs(variants(3), 1, labs.launch)]
    assert order == [1, 1, 2, 2, 3, 3]


def test_an_event_may_come_in_pieces(labs_of: Callable[[Life], Labs]) -> None:
    def life(variant: Variant, events: int) -> int:
        for octet in (to_json(begun(variant)) + "\n" + to_json(ended(variant)) + "\n").encode():
            os.write(events, bytes([octet]))
        return 0

    assert list(run_labs(variants(1), 1, labs_of(life).launch)) == [
        begun(variants(1)[0]),
        ended(variants(1)[0]),
    ]


@pytest.mark.parametrize(
    ("end", "told"),
    [
        pytest.param(
            lambda: os.kill(os.getpid(), signal.SIGKILL), "was ended by SIGKILL", id="killed"
        ),
        # how PID 1 passes on what ended the runner
        pytest.param(lambda: os._exit(256 - 9), "was ended by SIGKILL", id="killed within"),
        pytest.param(lambda: os._exit(256 - 11), "was ended by SIGSEGV", id="crashed within"),
        pytest.param(lambda: os._exit(99), "ended with exit code 99", id="broken"),
        pytest.param(lambda: os._exit(0), "ended with exit code 0", id="without a word"),
    ],
)
def test_a_lab_that_ends_before_its_scenario_does_is_told_with_its_cause(
    labs_of: Callable[[Life], Labs], end: Callable[[], None], told: str
) -> None:
    def life(variant: Variant, events: int) -> int:
        tell(events, begun(variant))
        end()
        return 0

    first, second = run_labs(variants(1), 1, labs_of(life).launch)
    assert first == begun(variants(1)[0])
    assert second == ended(variants(1)[0], f"a process of the lab {told}")


def test_a_fault_of_our_own_ends_all_labs_and_keeps_its_traceback(
    labs_of: Callable[[Life], Labs],
) -> None:
    def life(variant: Variant, events: int) -> int:
        if variant.number == 2:
            report = {"event": "broken", "traceback": "Traceback …\nKeyError: 'x'\n"}
            os.write(events, (json.dumps(report) + "\n").encode())
            return 99
        signal.pause()
        return 0

    labs = labs_of(life)
    with pytest.raises(RunnerFault, match="KeyError: 'x'") as caught:
        list(run_labs(variants(3), 3, labs.launch))
    assert caught.value.__notes__ == ["Traceback …\nKeyError: 'x'\n"]
    assert labs.alive() == []


def test_whoever_stops_reading_ends_all_labs(labs_of: Callable[[Life], Labs]) -> None:
    def life(variant: Variant, events: int) -> int:
        tell(events, begun(variant))
        signal.pause()
        return 0

    labs = labs_of(life)
    with closing(run_labs(variants(3), 2, labs.launch)) as events:
        next(events)
        assert len(labs.alive()) == 2
    assert labs.alive() == []


def test_a_lab_that_cannot_be_launched_ends_the_others(
    labs_of: Callable[[Life], Labs],
) -> None:
    labs = labs_of(lambda variant, events: signal.pause() or 0)

    def launch(variant: Variant) -> Launched:
        if variant.number == 2:
            raise OSError("no more")
        return labs.launch(variant)

    with pytest.raises(OSError, match="no more"):
        list(run_labs(variants(2), 2, launch))
    assert labs.alive() == []
