"""A scenario without one of its commands, and where that command stood."""

from __future__ import annotations

from pathlib import Path

from lab.model.scenario import Restore, Run
from tests.mutation.scenarios import PAIR, read
from tools.mutation.deletion import deletions
from tools.mutation.marking import scenario_markings

SCENARIO = (
    PAIR.replace("client: {}", "client: {routes: [default via 10.0.0.2]}")
    + """\
  - on: server
    run: |
      iptables -F
      ls
      iptables -A INPUT -j DROP  # unneeded: why not
  - on: server
    when: {iptables: legacy}
    run: iptables -X
  - on: server
    restore:
      text: |
        *filter
        -A INPUT -j ACCEPT
        -A INPUT -j ACCEPT
        COMMIT
  - on: client
    run: echo nothing
# unneeded: client: default via 10.0.0.2: the server is on the same network
"""
)


def line_of(text: str, turn: int = 0) -> int:
    numbered = enumerate(SCENARIO.splitlines(), 1)
    return [number for number, line in numbered if line.strip().startswith(text)][turn]


def test_each_command_is_told_with_its_step_its_line_and_its_marking(tmp_path: Path) -> None:
    scenario = read(tmp_path, SCENARIO)
    markings = scenario_markings(SCENARIO.splitlines(), scenario.path)
    steps = [step for step in scenario.steps if not step.when]
    found = [
        (each.step, each.text, each.location.line, each.unneeded)
        for each in deletions(scenario, steps, markings)
    ]
    assert found == [
        (0, "client: default via 10.0.0.2", 0, "the server is on the same network"),
        (1, "iptables -F", line_of("iptables -F"), ""),
        (1, "iptables -A INPUT -j DROP", line_of("iptables -A"), "why not"),
        (3, "-A INPUT -j ACCEPT", line_of("-A INPUT -j ACCEPT"), ""),
        (3, "-A INPUT -j ACCEPT", line_of("-A INPUT -j ACCEPT", 1), ""),
    ]


def test_only_the_one_step_is_another(tmp_path: Path) -> None:
    scenario = read(tmp_path, SCENARIO)
    _, flush, _, first, second = deletions(scenario, [scenario.steps[0], scenario.steps[2]], [])
    changed = flush.scenario.steps[0].action
    assert isinstance(changed, Run)
    assert changed.script.splitlines()[:2] == [":", "ls"]
    assert flush.scenario.steps[1:] == scenario.steps[1:]
    texts = [each.scenario.steps[2].action for each in (first, second)]
    assert [text.text.splitlines()[1:3] for text in texts if isinstance(text, Restore)] == [
        ["#", "-A INPUT -j ACCEPT"],
        ["-A INPUT -j ACCEPT", "#"],
    ]
