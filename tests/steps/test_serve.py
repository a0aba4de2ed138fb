"""`serve`: the SO_ORIGINAL_DST test server in a node."""

from __future__ import annotations

import pytest

from lab.model.events import Flow, ServerSeen
from tests.steps.conftest import Play

STEPS = """\
- {on: b, serve: {tcp: [80, 81], udp: [53]}}
"""


@pytest.mark.parametrize("to", ["10.0.0.2:80", "10.0.0.2:81", "[fd00::2]:80"])
def test_it_answers_on_every_tcp_port(play: Play, to: str) -> None:
    played = play(STEPS + f'- connect: {{from: a, to: "{to}"}}')
    assert played.passed
    (flow,) = played.all(Flow)
    assert flow.outcome == "connected"
    assert flow.server == ServerSeen(node="b", source=flow.source, dest=to, errno="ENOENT")


@pytest.mark.parametrize("to", ["10.0.0.2:53", "[fd00::2]:53"])
def test_it_answers_datagrams(play: Play, to: str) -> None:
    played = play(STEPS + f'- connect: {{from: a, to: "{to}", proto: udp}}')
    assert played.passed
    (flow,) = played.all(Flow)
    assert flow.outcome == "answered"
    assert flow.server is not None
    assert (flow.server.source, flow.server.dest) == (flow.source, to)


def test_a_payload_makes_no_difference(play: Play) -> None:
    played = play(
        STEPS + '- connect: {from: a, to: "b:80", payload: "GET / HTTP/1.0\\r\\n\\r\\n", times: 20}'
    )
    assert played.outcomes(2) == ["connected"] * 20


def test_several_servers_each_see_their_own(play: Play) -> None:
    played = play("""
- {on: a, serve: {tcp: 80}}
- {on: b, serve: {tcp: 80}}
- {connect: {from: a, to: "b:80"}, expect: {server: {node: b}}}
- {connect: {from: b, to: "a:80"}, expect: {server: {node: a}}}
- {connect: {from: a, to: "a:80"}, expect: {server: {node: a, source: 10.0.0.1}}}
""")
    assert played.passed


def test_a_held_connection_stays_open_and_does_not_keep_the_step(play: Play) -> None:
    played = play("""
- {on: b, serve: {tcp: 80, hold: true}}
- {on: b, run: "iptables -A INPUT -m conntrack --ctstate INVALID -j DROP"}
- connect: {from: a, to: "b:80", times: 3}
  timeout: 2s
  expect: {conntrack: {on: b, original: "a > b:80", state: ESTABLISHED, count: 3}}
- on: b
  check: {conntrack: {original: "a > b:80", state: ESTABLISHED, count: 3}}
""")
    assert played.passed


def test_held_connections_count_for_connlimit(play: Play, backend: str) -> None:
    rule = "-p tcp --syn --dport 80 -m connlimit --connlimit-above 2 -j REJECT"
    played = play(
        f"""
- {{on: b, serve: {{tcp: 80, hold: true}}}}
- {{on: b, run: "iptables -A INPUT {rule} --reject-with tcp-reset"}}
- {{connect: {{from: a, to: "b:80", times: 2}}}}
- {{connect: {{from: a, to: "b:80", times: 2}}, expect: {{outcome: refused}}}}
""",
        iptables=backend,
    )
    assert played.passed


def test_a_port_in_use_is_told_and_ends_the_scenario(play: Play) -> None:
    played = play("""
- {on: b, serve: {tcp: 80}}
- {on: b, serve: {tcp: 80}}
- {on: b, run: "true"}
""")
    assert played.statuses == "passed failed skipped"
    assert played.reason(2) == "b: origdst: cannot listen on tcp port 80: Address already in use"


@pytest.mark.parametrize(
    ("number", "how"), [("TERM", "exit code 0"), ("KILL", "killed by SIGKILL")]
)
def test_a_server_that_a_later_step_kills_is_told_by_name(
    play: Play, number: str, how: str
) -> None:
    played = play(f"""
- {{on: b, serve: {{tcp: 80}}}}
- on: b
  run: |
    pkill -{number} -x origdst
    while pgrep -x -r R,S,D origdst; do :; done
- {{connect: {{from: a, to: "b:80"}}}}
""")
    assert played.statuses == "passed failed skipped"
    assert played.reason(2) == f"b: the test server of step 1 has ended, {how}"
