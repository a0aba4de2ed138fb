"""`lab run`: which labs run, in which order, and what the command says and ends in."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.model.events import (
    CommandRan,
    Flow,
    LabUp,
    Observation,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioSkipped,
    ScenarioStarted,
    StepFinished,
    StepStarted,
    from_json,
    to_json,
)
from tests.run.command import Ran
from tests.run.conftest import Run, Start, Write

PASSES = '- {on: a, run: "true"}\n'
FAILS = "- {on: a, check: {sysctls: {net.ipv4.ip_forward: 1}}}\n"
SERVES = """
- {on: b, serve: {tcp: 80}}
- connect: {from: a, to: "b:80"}
  expect: {packets: [{at: "b:eth0", tcp: "a > b:80", flags: S}]}
"""
# Waits for a file beside the scenario, which labs see but cannot make.
WAITS = '- {on: a, run: "until test -e go; do sleep 0.01; done", timeout: 50s}\n'


def finished(ran: Ran) -> list[ScenarioFinished]:
    return [event for event in ran.events if isinstance(event, ScenarioFinished)]


def steps(ran: Ran) -> list[StepFinished]:
    return [event for event in ran.events if isinstance(event, StepFinished)]


def test_a_run_that_passes_ends_in_0(run: Run, write: Write) -> None:
    ran = run(write(PASSES * 2))
    assert (ran.code, ran.sums, ran.stderr) == (0, "2 passed, 0 failed, 0 skipped", "")


def test_a_run_that_fails_ends_in_1(run: Run, write: Write) -> None:
    ran = run(write(FAILS + '- {on: a, run: "false"}\n' + PASSES))
    assert (ran.code, ran.sums, ran.stderr) == (1, "0 passed, 2 failed, 1 skipped", "")


def test_every_line_of_json_is_an_event(run: Run, write: Write, tmp_path: Path) -> None:
    everything = FAILS + SERVES + '- {on: a, run: "false"}\n' + PASSES
    ran = run(write(everything), "--json", "events.jsonl")
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    kinds = [type(from_json(line)) for line in lines]
    assert kinds[:3] == [RunStarted, ScenarioStarted, LabUp]
    assert kinds[-2:] == [ScenarioFinished, RunFinished]
    assert {StepStarted, StepFinished, CommandRan, Flow, Observation} <= set(kinds)
    assert [to_json(from_json(line)) for line in lines] == lines
    assert ran.sums == "2 passed, 2 failed, 1 skipped"


def test_both_variants_of_a_matrix_are_run(run: Run, write: Write) -> None:
    ran = run(write(PASSES, iptables="[nft, legacy]"), "--json", "-")
    assert ran.code == 0
    variants = [
        (event.lab, event.iptables)
        for event in ran.events
        if isinstance(event, ScenarioStarted | ScenarioSkipped)
    ]
    assert sorted(variants) == [(1, "nft"), (2, "legacy")]


@pytest.mark.parametrize(
    ("option", "backends"), [("nft", ["nft"]), ("all", ["nft", "legacy"]), ("", ["nft"])]
)
def test_the_command_can_name_the_backends(
    run: Run, write: Write, option: str, backends: list[str]
) -> None:
    arguments = ("--iptables", option) if option else ()
    ran = run(write(PASSES), *arguments, "--json", "-")
    if ran.code == 3:
        pytest.skip(ran.stderr)
    assert sorted(event.iptables for event in finished(ran)) == sorted(backends)


def test_a_step_is_run_in_those_variants_that_it_is_for(run: Run, write: Write) -> None:
    ran = run(
        write(
            """
- {name: always, on: a, run: "true"}
- {name: nft alone, on: a, run: "true", when: {iptables: nft}}
- {name: legacy alone, on: a, run: "true", when: {iptables: legacy}}
- {name: both, on: a, run: "true", when: {iptables: [nft, legacy]}}
""",
            iptables="[nft, legacy]",
        ),
        "--json",
        "-",
    )
    of_lab = [[step.name for step in steps(ran) if step.lab == lab] for lab in (1, 2)]
    assert of_lab[0] == ["always", "nft alone", "both"]
    assert of_lab[1] in (["always", "legacy alone", "both"], [])


def test_x_ends_a_scenario_and_the_run_at_the_first_failure(run: Run, write: Write) -> None:
    write(PASSES + FAILS + PASSES, "first")
    write(PASSES, "second")
    ran = run("first.lab.yaml", "second.lab.yaml", "-x", "-j", "1", "--json", "-")
    assert ran.code == 1
    assert [(step.lab, step.status) for step in steps(ran)] == [
        (1, "passed"),
        (1, "failed"),
        (1, "skipped"),
    ]
    assert ran.sums == "1 passed, 1 failed, 1 skipped"


def test_k_selects_by_name(run: Run, write: Write) -> None:
    write(PASSES, "first")
    write(PASSES, "second")
    ran = run(".", "-k", "sec", "--json", "-")
    assert [event.scenario for event in finished(ran)] == ["second"]


def test_k_that_selects_nothing_is_a_mistake(run: Run, write: Write) -> None:
    ran = run(write(PASSES), "-k", "secnd")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == "-k 'secnd': no scenario has a name that fits\n    names: first\n"


def test_labs_run_one_after_the_other(run: Run, write: Write) -> None:
    write(PASSES * 2, "first")
    write(PASSES * 2, "second")
    ran = run(".", "-j", "1", "--json", "-")
    labs = [event.lab for event in ran.events if isinstance(event, StepStarted)]
    assert labs == [1, 1, 2, 2]


def test_labs_run_side_by_side(start: Start, write: Write, tmp_path: Path) -> None:
    """Both wait in their last step; neither could if one ran after the other."""
    for name in ("first", "second"):
        write(WAITS, name)
    command = start(".", "-j", "2", "--json", "-")
    waiting = set()
    for event in command.events():
        if isinstance(event, StepStarted):
            waiting.add(event.lab)
        if waiting == {1, 2}:
            break
    (tmp_path / "go").touch()
    ran = command.end()
    assert (ran.code, ran.sums) == (0, "2 passed, 0 failed, 0 skipped")


def test_runs_of_the_same_scenario_do_not_meet(start: Start, write: Write, tmp_path: Path) -> None:
    scenario = write('- {on: b, serve: {tcp: 80}}\n- {connect: {from: a, to: "b:80"}}\n' + WAITS)
    commands = [start(scenario, "--json", "-") for _ in range(2)]
    for command in commands:
        command.until_step(1, 3)
    (tmp_path / "go").touch()
    assert [command.end().code for command in commands] == [0, 0]


def test_a_lab_that_cannot_be_built_breaks_the_run_and_not_the_others(
    run: Run, write: Write
) -> None:
    topology = "topology: {nodes: {a: {sysctls: {net.ipv4.no_such_key: 1}}}}\n"
    write(PASSES, "first", topology)
    write(PASSES, "second")
    ran = run(".", "-j", "1", "--json", "-")
    assert ran.code == 4
    broken = {event.scenario: event.broken for event in finished(ran)}
    assert broken == {
        "first": "a: cannot set net.ipv4.no_such_key=1: No such file or directory",
        "second": "",
    }
    assert ran.sums == "1 passed, 0 failed, 0 skipped"


def test_mistakes_of_all_files_are_told_and_nothing_is_run(run: Run, write: Write) -> None:
    write("- {on: a, rum: x}\n", "first")
    write("- {on: c, run: x}\n", "second")
    ran = run(".", "--json", "events.jsonl")
    assert (ran.code, ran.stdout) == (2, "")
    assert "first.lab.yaml:" in ran.stderr
    assert "second.lab.yaml:" in ran.stderr
