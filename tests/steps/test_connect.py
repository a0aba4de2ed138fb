"""`connect`: TCP connections, how they end, and what each side saw."""

from __future__ import annotations

import pytest

from lab.model.events import Flow, StepFinished
from tests.steps.conftest import Play
from tests.steps.playing import ROUTED
from tests.steps.test_background import program

SERVE = "- {on: b, serve: {tcp: 80}}\n"
# A neighbour that is not there is known to be missing after 20 ms instead of 3 s.
IMPATIENT = """\
topology:
  nodes:
    a:
      sysctls: &impatient
        net.ipv4.neigh.eth0.mcast_solicit: 1
        net.ipv4.neigh.eth0.retrans_time_ms: 20
        net.ipv6.neigh.eth0.mcast_solicit: 1
        net.ipv6.neigh.eth0.retrans_time_ms: 20
      routes: [default via 10.0.1.254, "default via fd01::ff"]
    r:
      kind: router
      sysctls: {net.ipv4.neigh.eth1.mcast_solicit: 1, net.ipv4.neigh.eth1.retrans_time_ms: 20}
    b: {}
  links:
    - endpoints: [a, r]
      ipv4: [10.0.1.1/24, 10.0.1.254/24]
      ipv6: ["fd01::1/64", "fd01::ff/64"]
    - {endpoints: [b, r], ipv4: [10.0.2.1/24, 10.0.2.254/24]}
""".replace("&impatient", "")


def reject(how: str = "", port: int = 80, tool: str = "iptables", chain: str = "INPUT") -> str:
    """A step that has a node b refuse a port; a router r, if it is to FORWARD no more."""
    node = "r" if chain == "FORWARD" else "b"
    with_ = f" --reject-with {how}" if how else ""
    return f'- {{on: {node}, run: "{tool} -A {chain} -p tcp --dport {port} -j REJECT{with_}"}}\n'


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
