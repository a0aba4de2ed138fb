"""A busy machine: what has not had time to happen yet is not taken for never happening."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lab.kernel.backlog import Backlog
from lab.kernel.tasks import others_asleep
from tests.steps.conftest import Play
from tests.steps.test_background import program

# Of the processor it gets what others leave it, be its session scheduled as one (autogroup of
# sched(7)) or not.
STARVE = """
    import os
    os.nice(19)
    try:
        open("/proc/self/autogroup", "w").write("19")
    except OSError:
        pass
    print("starving", flush=True)
"""
SERVER = program(f"""
    import socket
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("10.0.0.2", 5353))
    {STARVE.strip()}
    while True:
        payload, sender = server.recvfrom(100)
        sum(range(60000))
        server.sendto(payload, sender)
""")
READER = program(f"""
    {STARVE.strip()}
    os.read(os.open("/tmp/gate", os.O_RDONLY), 1)
    for turn in range(15):
        sum(range(60000))
    print("done", flush=True)
""")


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Every processor taken, by processes of sessions of their own."""
    hogs = [
        subprocess.Popen(
            [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {{{cpu}}})\nwhile 1: pass"],
            start_new_session=True,
        )
        for cpu in os.sched_getaffinity(0)
    ]
    yield
    for hog in hogs:
        hog.kill()
        hog.wait()


@pytest.mark.usefixtures("busy_machine")
def test_an_answer_that_comes_late_is_an_answer(play: Play) -> None:
    played = play(f"""
- on: b
  background: server
  wait: {{stdout: starving}}
  timeout: 60s
  run: |
    {SERVER}
- connect: {{from: a, to: "b:5353", proto: udp, times: 5}}
  timeout: 60s
  expect: {{outcome: no-answer}}
""")
    assert played.outcomes(2) == ["answered"] * 5


@pytest.mark.usefixtures("busy_machine")
def test_a_check_waits_for_what_a_process_is_about_to_do(play: Play) -> None:
    played = play(f"""
- {{on: b, run: mkfifo /tmp/gate}}
- on: b
  background: reader
  wait: {{stdout: starving}}
  timeout: 60s
  run: |
    {READER}
- {{on: b, run: echo > /tmp/gate}}
- {{check: {{stdout: {{of: reader, contains: done}}}}}}
""")
    assert played.passed


@pytest.mark.usefixtures("busy_machine")
def test_a_lab_that_is_up_carries_the_first_packet(play: Play) -> None:
    """The kernel takes up the links of a new lab from a work queue."""
    outcomes = {
        tuple(play("- {ping: {from: a, to: b}, expect: {outcome: no-answer}}").outcomes(1))
        for _ in range(20)
    }
    assert outcomes == {("answered",)}


def test_silence_is_believed_although_another_process_never_rests(play: Play) -> None:
    played = play("""
- {on: b, background: restless, run: "while :; do :; done"}
- {on: b, run: "iptables -A INPUT -j DROP"}
- {connect: {from: a, to: "b:80"}, timeout: 300ms, expect: {outcome: no-answer}}
""")
    assert played.passed


def test_a_process_that_computes_is_not_asleep() -> None:
    """Of this machine's other processes nobody knows; so it stands for all of them."""
    with subprocess.Popen([sys.executable, "-c", "while 1: pass"]) as hog:
        try:
            assert not others_asleep()
        finally:
            hog.send_signal(signal.SIGKILL)


def test_draining_leaves_the_thread_where_it_was() -> None:
    backlog = Backlog()
    allowed = os.sched_getaffinity(0)
    backlog.drain_everywhere()
    assert os.sched_getaffinity(0) == allowed
    with backlog.on_one_cpu():
        alone = os.sched_getaffinity(0)
        backlog.drain_everywhere()
        assert os.sched_getaffinity(0) == alone
    backlog.close()
    assert len(alone) == 1
