"""Streams of events as runs send them, for the tests of every output."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, get_args, get_type_hints

from hypothesis import strategies as st

from lab.model.events import (
    CommandRan,
    Event,
    Flow,
    LabUp,
    Mismatch,
    Observation,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioSkipped,
    ScenarioStarted,
    ServerSeen,
    Status,
    StepFinished,
    StepStarted,
)

FOLDER = "/home/ada/labs"
PATH = f"{FOLDER}/port-forward.lab.yaml"

DRAWING = (
    "client ── 10.10.10.0/24 ── isp ── 22.22.22.0/24 ── router",
    "                                                     │ 192.168.1.0/24",
    "                                               ┌─────┴─────┐",
    "                                            server1     server2",
)


def run_started(scenarios: int = 1) -> RunStarted:
    return RunStarted(version="0.1.0", kernel="6.18.5", scenarios=scenarios)


def scenario_started(
    lab: int = 1, iptables: str = "nft", name: str = "port-forward"
) -> ScenarioStarted:
    return ScenarioStarted(
        lab=lab,
        scenario="port-forward",
        title="Two public ports, two servers behind one address",
        path=PATH,
        iptables=iptables,
        topology="home-router",
        drawing=DRAWING,
        notes=("ppp0: emulated by veth",),
        steps=4,
    )


def step_started(step: int, name: str, verb: str, on: str = "", lab: int = 1) -> StepStarted:
    return StepStarted(lab=lab, step=step, name=name, verb=verb, on=on, line=step * 5)


def step_finished(
    step: int,
    name: str,
    verb: str,
    status: Status = Status.PASSED,
    seconds: float = 0.0031,
    lab: int = 1,
    reason: str = "",
    mismatches: tuple[Mismatch, ...] = (),
) -> StepFinished:
    return StepFinished(
        lab=lab,
        step=step,
        name=name,
        verb=verb,
        status=status,
        seconds=seconds,
        location=f"{PATH}:{step * 5}:5",
        reason=reason,
        mismatches=mismatches,
    )


def lab_events(lab: int = 1, iptables: str = "nft") -> list[Event]:
    """One variant: rules, a flow that is as expected, one that is not, and a skipped step."""
    rules = "the router forwards ports 80 and 81"
    first = "the client reaches server 1 through port 80"
    second = "the client reaches server 2 through port 81"
    third = "the first server's answer is not cut short by a legacy table"
    return [
        scenario_started(lab, iptables),
        LabUp(lab=lab, seconds=0.0213, nodes=6),
        step_started(1, rules, "run", "router", lab=lab),
        CommandRan(
            lab=lab,
            step=1,
            node="router",
            command="iptables -t nat -A PREROUTING -i ppp0 -p tcp --dport 80 "
            "-j DNAT --to 192.168.1.1",
            exit=0,
            stdout="",
            stderr="",
        ),
        CommandRan(
            lab=lab,
            step=1,
            node="router",
            command="iptables -t nat -S PREROUTING",
            exit=0,
            stdout="-P PREROUTING ACCEPT\n-A PREROUTING -i ppp0 -p tcp -m tcp --dport 80 -j DNAT "
            "--to-destination 192.168.1.1\n",
            stderr="",
        ),
        step_finished(1, rules, "run", seconds=0.0124, lab=lab),
        step_started(2, first, "connect", lab=lab),
        Flow(
            lab=lab,
            step=2,
            proto="tcp",
            node="client",
            to="22.22.22.22:80",
            target="22.22.22.22:80",
            outcome="connected",
            source="10.10.10.10:40312",
            answer_source="22.22.22.22:80",
            answer_dest="10.10.10.10:40312",
            server=ServerSeen(
                node="server1", source="10.10.10.10:40312", dest="192.168.1.1:80", errno="ENOENT"
            ),
            seconds=0.0004,
        ),
        Observation(
            lab=lab,
            step=2,
            kind="conntrack",
            node="router",
            text="tcp TIME_WAIT 10.10.10.10:40312 > 22.22.22.22:80, "
            "reply 192.168.1.1:80 > 10.10.10.10:40312 [ASSURED]",
        ),
        Observation(
            lab=lab,
            step=2,
            kind="rule",
            node="router",
            text="nat/PREROUTING #1: 1 packet (+1)",
        ),
        step_finished(2, first, "connect", lab=lab),
        step_started(3, second, "connect", lab=lab),
        Flow(
            lab=lab,
            step=3,
            proto="tcp",
            node="client",
            to="router:ppp0:81",
            target="22.22.22.22:81",
            outcome="no-answer",
            evidence="timed out",
            source="10.10.10.10:40314",
            seconds=1.0,
        ),
        step_finished(
            3,
            second,
            "connect",
            Status.FAILED,
            1.0021,
            lab=lab,
            mismatches=(
                Mismatch(
                    field="outcome",
                    expected="connected",
                    observed="no-answer (timed out)",
                    location=f"{PATH}:16:16",
                ),
                Mismatch(
                    field="server.dest",
                    expected="server2:80 (192.168.1.2:80)",
                    observed="",
                    location=f"{PATH}:17:31",
                ),
            ),
        ),
        step_started(4, third, "connect", lab=lab),
        step_finished(
            4, third, "connect", Status.SKIPPED, 0.0, lab=lab, reason="only with iptables legacy"
        ),
        ScenarioFinished(
            lab=lab,
            scenario="port-forward",
            iptables=iptables,
            passed=2,
            failed=1,
            skipped=1,
            seconds=1.063,
        ),
    ]


def skipped_variant(lab: int = 2) -> ScenarioSkipped:
    return ScenarioSkipped(
        lab=lab,
        scenario="port-forward",
        path=PATH,
        iptables="legacy",
        reason="iptables-legacy is not installed",
        command="sudo apt install iptables",
    )


LAB_DIED = ScenarioFinished(
    lab=1,
    scenario="port-forward",
    iptables="nft",
    passed=0,
    failed=0,
    skipped=0,
    seconds=0.1,
    broken="the runner of the lab died\nkilled by SIGKILL",
)


def whole_run() -> list[Event]:
    """A run of one scenario in two variants, of which this machine knows one."""
    return [
        run_started(),
        *lab_events(),
        skipped_variant(),
        RunFinished(passed=2, failed=1, skipped=2, seconds=1.07),
    ]


def shuffled_labs(labs: int, order: list[int]) -> list[Event]:
    """Several labs side by side; ``order`` says whose event comes next, as far as it goes."""
    waiting = {lab: lab_events(lab) for lab in range(1, labs + 1)}
    events: list[Event] = [run_started(labs)]
    for choice in order:
        running = [lab for lab, left in waiting.items() if left]
        if running:
            events.append(waiting[running[choice % len(running)]].pop(0))
    events += [event for left in waiting.values() for event in left]
    return [*events, RunFinished(passed=2 * labs, failed=labs, skipped=labs, seconds=2.0)]


# Any text at all, as a command may print it: control characters, and lone surrogates, which stand
# for bytes that are no UTF-8.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)

_VALUES: dict[object, st.SearchStrategy[Any]] = {
    str: ANY_TEXT,
    int: st.integers(0, 10**6),
    bool: st.booleans(),
    float: st.floats(0, 10**6),
    Status: st.sampled_from(Status),
    tuple[str, ...]: st.lists(ANY_TEXT, max_size=3).map(tuple),
}


def any_record(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Events (and the records within them) of one type with any content."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{item.name: _any_value(hints[item.name]) for item in fields(kind)})


def _any_value(hint: Any) -> st.SearchStrategy[Any]:
    if hint in _VALUES:
        return _VALUES[hint]
    if hint == tuple[Mismatch, ...]:
        return st.lists(any_record(Mismatch), max_size=2).map(tuple)
    assert hint == ServerSeen | None
    return st.none() | any_record(ServerSeen)


ANY_EVENT = st.one_of([any_record(kind) for kind in get_args(Event)])


@st.composite
def any_run(draw: st.DrawFn) -> list[Event]:
    """A run as it may come, cut short anywhere, with any texts."""
    events: list[Event] = [draw(any_record(RunStarted))]
    for lab in range(1, draw(st.integers(1, 2)) + 1):
        if draw(st.booleans()):
            events.append(replace(draw(any_record(ScenarioSkipped)), lab=lab))
            continue
        events.append(replace(draw(any_record(ScenarioStarted)), lab=lab))
        for step in range(1, draw(st.integers(0, 2)) + 1):
            kinds = (StepStarted, CommandRan, Flow, Observation, StepFinished)
            events += [replace(draw(any_record(kind)), lab=lab, step=step) for kind in kinds]
        events.append(replace(draw(any_record(ScenarioFinished)), lab=lab))
    return events[: draw(st.integers(1, len(events)))]
