"""`connect`: TCP connections, and what each side saw of them."""

from __future__ import annotations

import pytest

from lab.model.events import Flow, StepFinished
from tests.steps.conftest import Play
from tests.steps.playing import ROUTED
from tests.steps.test_background import program

SERVE = "- {on: b, serve: {tcp: 80}}\n"


def test_both_sides_tuples_are_told(play: Play) -> None:
    played = play(
        SERVE
        + """
- connect: {from: a, to: "b:80"}
  expect:
    server: {node: b, source: 10.0.1.1, dest: "10.0.2.1:80", original: ENOENT}
    client: {source: "10.0.2.1:80", dest: 10.0.1.1}
    source_port: kept
""",
        ROUTED,
    )
    assert played.passed
    (flow,) = played.all(Flow)
    assert (flow.node, flow.to, flow.target) == ("a", "b:80", "10.0.2.1:80")
    assert (flow.answer_source, flow.answer_dest) == ("10.0.2.1:80", flow.source)


def test_a_rewritten_flow_shows_another_tuple_to_each_side(play: Play, backend: str) -> None:
    played = play(
        SERVE
        + """
- on: r
  run: |
    iptables -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to 10.0.2.1:80
    iptables -t nat -A POSTROUTING -o eth1 -p tcp -j SNAT --to 10.0.2.254:7000
- connect: {from: a, to: "r:8080"}
  expect:
    server: {node: b, source: "10.0.2.254:7000", dest: "10.0.2.1:80"}
    client: {source: "10.0.1.254:8080"}
    source_port: rewritten
""",
        ROUTED,
        backend,
    )
    assert played.passed


def test_what_does_not_hold_is_told_field_by_field(play: Play) -> None:
    played = play(
        SERVE
        + """
- connect: {from: a, to: "b:80", source: ":7001"}
  expect:
    server: {node: a, source: 10.0.0.9, dest: "10.0.0.2:81", original: "10.0.0.2:80"}
    client: {source: 10.0.0.3, dest: "10.0.0.1:7002"}
    source_port: rewritten
"""
    )
    assert played.mismatches(2) == [
        ("server node", "a", "b"),
        ("server source", "10.0.0.9", "10.0.0.1:7001"),
        ("server dest", "10.0.0.2:81", "10.0.0.2:80"),
        ("server original", "10.0.0.2:80", "ENOENT"),
        ("client source", "10.0.0.3", "10.0.0.2:80"),
        ("client dest", "10.0.0.1:7002", "10.0.0.1:7001"),
        ("source_port", "rewritten", "kept: 7001 at the client, 7001 at the server"),
    ]


def test_a_failed_connect_lets_the_scenario_go_on(play: Play) -> None:
    played = play(
        """
- {connect: {from: a, to: "b:80"}}
- {on: b, serve: {tcp: 80}}
- {connect: {from: a, to: "b:80"}}
"""
    )
    assert played.statuses == "failed passed passed"
    assert played.mismatches(1) == [("outcome", "connected", "refused (Connection refused)")]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1:7001", "10.0.0.1:7001"),
        (":7001", "10.0.0.1:7001"),
        ("a", "10.0.0.1"),
        ("10.0.0.77:7001", "10.0.0.77:7001"),
    ],
)
def test_a_flow_comes_from_where_it_is_told_to(play: Play, source: str, seen: str) -> None:
    played = play(
        SERVE
        + f"""
- {{on: a, run: ip address add 10.0.0.77/24 dev eth0}}
- connect: {{from: a, to: "b:80", source: "{source}"}}
  expect: {{server: {{source: "{seen}"}}}}
"""
    )
    assert played.passed


def test_the_same_source_port_can_be_used_again_at_once(play: Play) -> None:
    connect = '- connect: {from: a, to: "b:80", source: ":7001"}\n'
    assert play(SERVE + connect * 3).passed


def test_a_source_that_is_taken_is_told(play: Play) -> None:
    played = play(
        """
- {on: a, serve: {tcp: 7001}}
- {connect: {from: a, to: "b:80", source: ":7001"}, expect: {outcome: refused}}
- {connect: {from: a, to: "b:80", source: "10.0.0.1:7001"}, expect: {outcome: refused}}
"""
    )
    assert played.statuses == "passed failed failed"
    assert played.reason(2) == "a: cannot send from 0.0.0.0:7001: Address already in use"
    assert played.reason(3) == "a: cannot send from 10.0.0.1:7001: Address already in use"


def test_an_address_that_is_gone_is_told(play: Play) -> None:
    played = play(
        """
- {on: a, run: ip address flush dev eth0}
- connect: {from: a, to: "b:80", source: 10.0.0.1}
  expect: {outcome: no-answer}
- connect: {from: a, to: "[fd00::2]:80", source: "fd00::1"}
  expect: {outcome: no-answer}
"""
    )
    words = "Cannot assign requested address"
    assert played.reason(2) == f"a: cannot send from 10.0.0.1: {words}"
    assert played.reason(3) == f"a: cannot send from fd00::1: {words}"


def test_a_flow_that_cannot_even_be_tried_is_no_silence(play: Play) -> None:
    """The four-tuple of a connection that lingers is free again only where time stamps tell."""
    silent = program("""
        import socket
        server = socket.create_server(("10.0.0.2", 7000))
        kept = []
        while True:
            kept.append(server.accept())
    """)
    played = play(f"""
- {{on: a, run: sysctl -w net.ipv4.tcp_timestamps=0}}
- on: b
  background: silent
  wait: {{listening: tcp/7000}}
  run: |
    {silent}
- {{connect: {{from: a, to: "b:7000", source: ":7001"}}}}
- connect: {{from: a, to: "b:7000", source: ":7001"}}
  expect: {{outcome: no-answer}}
""")
    assert played.reason(4) == "a: cannot send to b:7000: Cannot assign requested address"


def test_several_connections_have_ports_of_their_own(play: Play) -> None:
    played = play(
        SERVE + '- {connect: {from: a, to: "b:80", times: 5}, expect: {source_port: distinct}}'
    )
    assert played.passed
    assert len({flow.source for flow in played.all(Flow)}) == 5


def test_what_goes_wrong_in_some_of_many_flows_is_told_by_their_numbers(play: Play) -> None:
    rule = "-p tcp --syn --dport 80 -m connlimit --connlimit-above 3"
    played = play(f"""
- {{on: b, serve: {{tcp: 80, hold: true}}}}
- {{on: b, run: "iptables -A INPUT {rule} -j REJECT --reject-with tcp-reset"}}
- {{connect: {{from: a, to: "b:80", times: 5}}}}
""")
    assert played.mismatches(3) == [
        ("outcome of flows 4, 5", "connected", "refused (Connection refused)")
    ]


def test_nodes_and_their_interfaces_are_good_for_addresses(play: Play) -> None:
    played = play(
        """
- {on: r, serve: {tcp: 80}}
- {connect: {from: a, to: "r:80"}, expect: {server: {dest: "10.0.1.254:80"}}}
- {connect: {from: a, to: "r:eth1:80"}, expect: {server: {dest: "10.0.2.254:80"}}}
- {on: b, connect: {to: "r:eth1:80"}, expect: {server: {source: b}}}
""",
        ROUTED,
    )
    assert played.passed
    assert [flow.target for flow in played.all(Flow, 3)] == ["10.0.2.254:80"]


@pytest.mark.parametrize("servers", ["", "- {on: a, serve: {tcp: 81}}\n"])
def test_any_service_will_do(play: Play, servers: str) -> None:
    echo = program("""
        import socket
        server = socket.create_server(("10.0.0.2", 7000))
        while True:
            connection, _ = server.accept()
            print("got", connection.recv(100), flush=True)
    """)
    number = 3 if servers else 2
    played = play(
        f"""{servers}
- on: b
  background: service
  wait: {{listening: tcp/7000}}
  run: |
    {echo}
- {{connect: {{from: a, to: "b:7000", payload: hello}}, timeout: 2s}}
- {{wait: 5s, check: {{stdout: {{of: service, contains: "got b''hello''"}}}}}}
""".replace("b''hello''", "b'hello'")
    )
    assert played.passed
    (flow,) = played.all(Flow, number)
    assert (flow.outcome, flow.server) == ("connected", None)


def test_a_service_of_ones_own_is_not_taken_for_the_test_server(play: Play) -> None:
    greeter = program("""
        import socket
        server = socket.create_server(("10.0.0.2", 7000))
        while True:
            server.accept()[0].sendall(b"source{nobody}\\n")
    """)
    played = play(f"""
- {{on: b, serve: {{tcp: 80}}}}
- on: b
  background: greeter
  wait: {{listening: tcp/7000}}
  run: |
    {greeter}
- {{connect: {{from: a, to: "b:7000"}}, expect: {{server: {{node: b}}}}}}
""")
    told = [("server", "node b", "no test server answered: connected")]
    assert played.mismatches(3) == told


def test_a_service_that_never_stops_talking_does_not_keep_the_step(play: Play) -> None:
    talker = program("""
        import socket, time
        server = socket.create_server(("10.0.0.2", 7000))
        connection, _ = server.accept()
        while True:
            connection.sendall(b".")
            time.sleep(0.01)
    """)
    played = play(f"""
- on: b
  background: talker
  wait: {{listening: tcp/7000}}
  run: |
    {talker}
- {{connect: {{from: a, to: "b:7000"}}, timeout: 300ms}}
""")
    assert played.outcomes(2) == ["connected"]
    assert played.all(StepFinished, 2)[0].seconds < 3


def test_an_answer_that_is_sent_again_is_waited_for(play: Play, backend: str) -> None:
    """The answer's first segment is lost; what the server saw is known all the same."""
    lost = "-p tcp --sport 80 -m length --length 61: -m connbytes --connbytes 0:2"
    rule = f"{lost} --connbytes-dir reply --connbytes-mode packets -j DROP"
    played = play(
        SERVE
        + f"""
- {{on: b, run: "iptables -A OUTPUT {rule}"}}
- connect: {{from: a, to: "b:80"}}
  expect: {{server: {{node: b}}, rules: {{on: b, chain: OUTPUT, rule: 1, hits: ">=1"}}}}
""",
        iptables=backend,
    )
    assert played.passed
