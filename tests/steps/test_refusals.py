"""`connect` that comes to nothing: refused, unreachable, reset or without an answer."""

from __future__ import annotations

import pytest

from tests.steps.conftest import Play
from tests.steps.playing import IMPATIENT, ROUTED
from tests.steps.test_background import program

SERVE = "- {on: b, serve: {tcp: 80}}\n"


def reject(how: str = "", port: int = 80, tool: str = "iptables", chain: str = "INPUT") -> str:
    """A step that has a node b refuse a port; a router r, if it is to FORWARD no more."""
    node = "r" if chain == "FORWARD" else "b"
    with_ = f" --reject-with {how}" if how else ""
    return f'- {{on: {node}, run: "{tool} -A {chain} -p tcp --dport {port} -j REJECT{with_}"}}\n'


@pytest.mark.parametrize("to", ["b:81", "[fd00::2]:81"])
def test_a_closed_port_refuses(play: Play, to: str) -> None:
    played = play(f'- {{connect: {{from: a, to: "{to}"}}, expect: {{outcome: refused}}}}')
    assert played.passed
    assert played.outcomes(1) == ["refused"]


@pytest.mark.parametrize(
    ("rule", "to", "outcome"),
    [
        (reject(), "b:80", "refused port-unreachable from 10.0.0.2"),
        (reject("tcp-reset"), "b:80", "refused"),
        (reject("icmp-host-unreachable"), "b:80", "unreachable host-unreachable from 10.0.0.2"),
        (reject("icmp-net-unreachable"), "b:80", "unreachable net-unreachable from 10.0.0.2"),
        (reject("icmp-proto-unreachable"), "b:80", "unreachable proto-unreachable from 10.0.0.2"),
        (reject("icmp-net-prohibited"), "b:80", "unreachable net-prohibited from 10.0.0.2"),
        (reject("icmp-host-prohibited"), "b:80", "unreachable host-prohibited from 10.0.0.2"),
        (reject("icmp-admin-prohibited"), "b:80", "unreachable admin-prohibited from 10.0.0.2"),
        (reject(tool="ip6tables"), "[fd00::2]:80", "refused port-unreachable from fd00::2"),
        (
            reject("icmp6-adm-prohibited", tool="ip6tables"),
            "[fd00::2]:80",
            "unreachable adm-prohibited from fd00::2",
        ),
    ],
)
def test_a_reject_is_told_by_its_icmp_error(
    play: Play, backend: str, rule: str, to: str, outcome: str
) -> None:
    word = outcome.split()[0]
    played = play(
        f'{SERVE}{rule}- {{connect: {{from: a, to: "{to}"}}, expect: {{outcome: {word}}}}}',
        iptables=backend,
    )
    assert played.passed
    assert played.outcomes(3) == [outcome]


def test_a_routers_reject_is_told_with_its_sender(play: Play) -> None:
    played = play(
        SERVE
        + reject("icmp-host-unreachable", chain="FORWARD")
        + """
- connect: {from: a, to: "b:80"}
  expect: {outcome: unreachable, icmp: host-unreachable}
""",
        ROUTED,
    )
    assert played.passed
    assert played.outcomes(3) == ["unreachable host-unreachable from 10.0.1.254"]


def test_another_icmp_error_than_expected_is_told(play: Play) -> None:
    played = play(
        reject("icmp-net-unreachable")
        + """
- connect: {from: a, to: "b:80"}
  expect: {outcome: unreachable, icmp: host-unreachable}
"""
    )
    assert played.mismatches(2) == [("icmp", "host-unreachable", "net-unreachable")]


@pytest.mark.parametrize("how", ["", "icmp-host-prohibited", "tcp-reset"])
def test_a_reject_in_the_senders_own_output_counts_as_any(
    play: Play, backend: str, how: str
) -> None:
    outcome = "unreachable" if how == "icmp-host-prohibited" else "refused"
    rule = reject(how, chain="OUTPUT").replace("on: b", "on: a")
    connect = f'- {{connect: {{from: a, to: "b:80"}}, expect: {{outcome: {outcome}}}}}'
    assert play(SERVE + rule + connect, iptables=backend).passed


@pytest.mark.parametrize(
    ("route", "to", "words"),
    [
        ("", "192.0.2.1:80", "Network is unreachable"),
        ("ip route add unreachable 192.0.2.0/24", "192.0.2.1:80", "No route to host"),
        ("ip route add prohibit 192.0.2.0/24", "192.0.2.1:80", "Permission denied"),
        ("ip route add blackhole 192.0.2.0/24", "192.0.2.1:80", "Invalid argument"),
        ("", "[2001:db8::1]:80", "Network is unreachable"),
    ],
)
def test_what_has_no_route_is_unreachable_at_once(
    play: Play, route: str, to: str, words: str
) -> None:
    played = play(
        f"""
- {{on: a, run: "true; {route}"}}
- {{connect: {{from: a, to: "{to}"}}, timeout: 500ms, expect: {{outcome: unreachable}}}}
"""
    )
    assert played.passed
    assert played.outcomes(2) == [f"unreachable {words}"]


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("10.0.1.99:80", "unreachable host-unreachable from 10.0.1.1"),
        ("10.0.2.99:80", "unreachable host-unreachable from 10.0.1.254"),
        ("[fd01::99]:80", "unreachable addr-unreachable from fd01::1"),
    ],
)
def test_a_neighbour_that_is_not_there_is_unreachable(play: Play, to: str, told: str) -> None:
    played = play(
        f'- {{connect: {{from: a, to: "{to}"}}, expect: {{outcome: unreachable}}}}', IMPATIENT
    )
    assert played.passed
    assert played.outcomes(1) == [told]


@pytest.mark.parametrize("chain", ["INPUT", "OUTPUT"])
def test_a_drop_is_no_answer_and_says_how_it_is_known(play: Play, backend: str, chain: str) -> None:
    node = "b" if chain == "INPUT" else "a"
    played = play(
        SERVE
        + f"""
- {{on: {node}, run: "iptables -A {chain} -p tcp --dport 80 -j DROP"}}
- {{connect: {{from: a, to: "b:80"}}, timeout: 500ms, expect: {{outcome: no-answer}}}}
""",
        iptables=backend,
    )
    assert played.passed
    assert played.outcomes(3) == ["no-answer timed out"]


def test_no_answer_where_one_is_expected_is_waited_for_until_the_deadline(play: Play) -> None:
    played = play(
        """
- {on: b, run: "iptables -A INPUT -j DROP"}
- {connect: {from: a, to: "b:80"}, timeout: 100ms}
"""
    )
    assert played.mismatches(2) == [("outcome", "connected", "no-answer (timed out)")]


def test_a_connection_where_none_is_expected_is_told(play: Play) -> None:
    played = play(SERVE + '- {connect: {from: a, to: "b:80"}, expect: {outcome: no-answer}}')
    assert played.mismatches(2) == [("outcome", "no-answer", "connected")]


RESETTING = program("""
    import socket, struct
    server = socket.create_server(("10.0.0.2", 7000))
    while True:
        connection, _ = server.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
""")


def test_a_connection_that_is_reset_is_told_so_every_time(play: Play) -> None:
    """The reset may come before, while or after the connection is looked at."""
    played = play(f"""
- on: b
  background: resetting
  wait: {{listening: tcp/7000}}
  run: |
    {RESETTING}
- {{connect: {{from: a, to: "b:7000", times: 200}}, expect: {{outcome: reset}}}}
""")
    assert played.passed


def test_a_reset_by_a_rule_behind_the_handshake_is_a_reset(play: Play, backend: str) -> None:
    match = "-p tcp --dport 80 -m conntrack --ctstate ESTABLISHED"
    played = play(
        SERVE
        + f"""
- {{on: b, run: "iptables -A INPUT {match} -j REJECT --reject-with tcp-reset"}}
- {{connect: {{from: a, to: "b:80"}}, expect: {{outcome: reset}}}}
""",
        iptables=backend,
    )
    assert played.passed


def test_an_icmp_error_behind_the_handshake_does_not_undo_it(play: Play, backend: str) -> None:
    """RFC 1122 4.2.3.9: a soft error must not abort a connection that stands."""
    match = "-p tcp --dport 80 -m conntrack --ctstate ESTABLISHED"
    played = play(
        SERVE
        + f"""
- {{on: b, run: "iptables -A INPUT {match} -j REJECT"}}
- {{connect: {{from: a, to: "b:80"}}, timeout: 1s}}
""",
        iptables=backend,
    )
    assert played.passed
    assert played.outcomes(3) == ["connected"]


def test_flows_that_the_deadline_leaves_no_time_for_are_not_taken_for_silent(play: Play) -> None:
    played = play(
        """
- {on: b, run: "iptables -A INPUT -j DROP"}
- connect: {from: a, to: "b:80", times: 10000}
  timeout: 100ms
  expect: {outcome: no-answer}
"""
    )
    (sent, total), (*_, last) = (
        played.reason(2).split()[1:4:2],
        played.reason(2).split(", "),
    )
    assert 0 < int(sent) < int(total) == 10_000
    assert last == "the last one: no-answer (timed out)"
    assert played.mismatches(2) == []
