"""`background`: a process beside the steps, when it counts as up, and how its end is told."""

from __future__ import annotations

import os
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest

from tests.steps.conftest import Play

# A process that does nothing until it is told to go on, and then announces what it is for.
GATED = """\
- on: a
  run: mkfifo /tmp/gate
- on: a
  background: gated
  run: |
    read -r < /tmp/gate
    echo open
"""


def program(text: str) -> str:
    """The shell line that runs a Python program."""
    lines = textwrap.indent(textwrap.dedent(text).strip(), "    ")
    return f"exec {sys.executable} -uc '\n{lines}\n    '"


LISTENER = program("""
    import socket, time
    server = socket.create_server(("10.0.0.1", 7000))
    print("listening", flush=True)
    time.sleep(60)
""")


@pytest.mark.parametrize(
    "ready",
    [
        "stdout: ^listen",
        "listening: tcp/7000",
        "command: ss -Hltn sport = 7000 | grep 7000",
    ],
)
def test_a_step_ends_when_its_process_is_ready(play: Play, ready: str) -> None:
    played = play(f"""
- on: a
  background: listener
  wait: {{{ready}}}
  run: |
    {LISTENER}
- connect: {{from: b, to: "a:7000"}}
""")
    assert played.passed


def test_without_a_condition_nothing_is_waited_for(play: Play) -> None:
    steps = (
        GATED
        + """
- on: a
  run: echo > /tmp/gate
- on: a
  wait: 5s
  check: {stdout: {of: gated, equals: open}}
"""
    )
    assert play(steps).passed


def test_its_output_is_kept_for_checks(play: Play) -> None:
    played = play("""
- on: a
  background: talker
  wait: {stdout: three}
  run: |
    echo one
    echo two >&2
    echo three
    sleep 60
- check: {stdout: {of: talker, equals: "one\\ntwo\\nthree"}}
- check: {stdout: {of: talker, matches: "^t.o$"}}
- check: {stdout: {of: talker, contains: four}}
""")
    assert played.statuses == "passed passed passed failed"
    assert played.mismatches(4) == [("stdout of talker", "contains 'four'", "one\ntwo\nthree")]


def test_a_process_that_ends_before_it_is_ready_is_told_with_its_words(play: Play) -> None:
    played = play("""
- on: a
  background: server
  wait: {listening: tcp/80}
  run: nonsense --port 80
- {on: a, run: "true"}
""")
    assert played.statuses == "failed skipped"
    assert played.reason(1) == (
        "a: background process server of step 1 has ended, exit code 127:"
        " bash: line 1: nonsense: command not found"
    )


@pytest.mark.parametrize(
    ("ready", "lack"),
    [
        ("stdout: ^ready", "its output does not match '^ready'"),
        ("listening: udp/53", "nothing listens on udp/53"),
        ("command: test -e /tmp/ready", "this does not succeed: test -e /tmp/ready"),
    ],
)
def test_a_process_that_is_not_ready_in_time_is_told_with_what_was_waited_for(
    play: Play, ready: str, lack: str
) -> None:
    played = play(f"""
- on: a
  background: sleeper
  timeout: 50ms
  wait: {{{ready}}}
  run: sleep 60
""")
    told = f"a: background process sleeper was not ready before the deadline: {lack}"
    assert played.reason(1) == told


def test_a_process_that_dies_later_fails_the_step_that_finds_it_dead(play: Play) -> None:
    played = play("""
- on: a
  background: mortal
  run: |
    echo last words
    echo $$ > /tmp/pid
    while :; do sleep 60; done
- on: a
  run: |
    until test -s /tmp/pid; do :; done
    kill -9 $(cat /tmp/pid)
    while grep -q "^State:.[RSD]" /proc/$(cat /tmp/pid)/status; do :; done
- {on: a, run: "true"}
""")
    assert played.statuses == "passed failed skipped"
    assert played.reason(2) == (
        "a: background process mortal of step 1 has ended, killed by SIGKILL: last words"
    )
    assert played.reason(3).startswith("step 2 failed: ")


@pytest.mark.parametrize("end", ["exit 0", "kill $$"])
def test_a_process_that_ends_well_or_by_sigterm_is_no_failure(play: Play, end: str) -> None:
    played = play(f"""
- on: a
  background: ending
  run: |
    echo $$ > /tmp/pid
    {end}
- on: a
  run: |
    until test -s /tmp/pid; do :; done
    while grep -q "^State:.[RSD]" /proc/$(cat /tmp/pid)/status; do :; done
- {{on: a, run: "true"}}
""")
    assert played.passed


def test_what_one_node_runs_another_does_not_see(play: Play) -> None:
    played = play("""
- on: a
  background: sleeper
  run: exec sleep 61
- {on: a, run: "until pgrep -fx \\"sleep 61\\"; do :; done"}
- {on: b, run: "! pgrep -fx \\"sleep 61\\""}
""")
    assert played.passed


def test_a_background_process_and_all_it_started_end_with_the_scenario(play: Play) -> None:
    mark = "sleep 8765.4321"
    assert play(f"""
- on: a
  background: parent
  wait: {{stdout: begun}}
  run: |
    setsid {mark} &
    echo begun
    wait
""").passed
    assert mark not in _commands()


def _commands() -> str:
    """The command lines of all of this machine's processes that we can see."""
    lines = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            lines.append(Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "))
    return "\n".join(lines)
