"""`wait`: what is expected may take a while to become true."""

from __future__ import annotations

from lab.model.events import Flow, StepFinished
from tests.steps.conftest import Play
from tests.steps.test_background import program

# Opens its port when it has been refused a few times: the first tries come too early.
LATE = program("""
    import socket, subprocess
    print("watching", flush=True)
    refused = "OutRsts"
    def resets():
        names, values = [line.split() for line in open("/proc/net/snmp") if line[:4] == "Tcp:"]
        return int(dict(zip(names, values))[refused])
    while resets() < 3:
        pass
    server = socket.create_server(("10.0.0.2", 7000))
    while True:
        server.accept()
""")


def test_a_connection_is_tried_until_it_stands(play: Play) -> None:
    played = play(f"""
- on: b
  background: late
  wait: {{stdout: watching}}
  run: |
    {LATE}
- {{connect: {{from: a, to: "b:7000"}}, wait: 5s}}
""")
    assert played.passed
    # those that failed are no part of what the step shows
    assert played.outcomes(2) == ["connected"]


def test_a_check_is_repeated_until_it_holds(play: Play) -> None:
    played = play("""
- {on: a, run: mkfifo /tmp/gate}
- on: a
  background: late
  run: |
    echo waiting
    until grep -q asked /tmp/asked; do :; done
    sysctl -w net.ipv4.ip_forward=1
- {on: a, run: echo asked > /tmp/asked}
- {on: a, wait: 5s, check: {sysctls: {net.ipv4.ip_forward: 1}}}
- {wait: 5s, check: {stdout: {of: late, contains: ip_forward = 1}}}
""")
    assert played.passed


def test_what_never_holds_fails_when_the_time_is_over(play: Play) -> None:
    played = play("""
- {on: a, wait: 300ms, check: {sysctls: {net.ipv4.ip_forward: 1}}}
- {connect: {from: a, to: "b:80"}, wait: 300ms}
""")
    assert played.mismatches(1) == [("sysctls a net.ipv4.ip_forward", "1", "0")]
    assert played.mismatches(2) == [("outcome", "connected", "refused (Connection refused)")]
    assert all(step.seconds >= 0.3 for step in played.all(StepFinished))
    assert len(played.all(Flow)) == 1


def test_an_expectation_that_holds_at_once_is_not_waited_for(play: Play) -> None:
    played = play("- {on: a, wait: 9s, check: {sysctls: {net.ipv4.ip_forward: 0}}}")
    (step,) = played.all(StepFinished)
    assert step.seconds < 5
