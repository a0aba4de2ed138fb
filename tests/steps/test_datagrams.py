"""`connect` with `proto: udp`: datagrams, and what comes back."""

from __future__ import annotations

import pytest

from lab.model.events import Flow
from tests.steps.conftest import Play
from tests.steps.playing import IMPATIENT, ROUTED
from tests.steps.test_background import program

# Connection tracking runs where a rule asks for it.
TRACKING = "iptables -A FORWARD -m conntrack --ctstate NEW"
SERVE = "- {on: b, serve: {udp: 53}}\n"


def send(to: str, outcome: str = "answered", more: str = "") -> str:
    """A step that sends a datagram from a."""
    return (
        f'- {{connect: {{from: a, to: "{to}", proto: udp{more}}}, expect: {{outcome: {outcome}}}}}'
    )


def test_an_answer_shows_both_sides_tuples(play: Play) -> None:
    played = play(
        SERVE
        + """
- connect: {from: a, to: "b:53", proto: udp}
  expect:
    server: {node: b, source: 10.0.1.1, dest: "10.0.2.1:53"}
    client: {source: "10.0.2.1:53", dest: 10.0.1.1}
    source_port: kept
    conntrack: {on: r, proto: udp, original: "a > b:53", reply: "b:53 > a"}
""",
        ROUTED.replace("kind: router", f"kind: router, exec: [{TRACKING}]"),
    )
    assert played.passed


@pytest.mark.parametrize("to", ["b:54", "[fd00::2]:54"])
def test_a_closed_port_refuses_by_its_icmp_error(play: Play, to: str) -> None:
    played = play(send(to, "refused"))
    assert played.passed
    (told,) = played.outcomes(1)
    assert told.startswith("refused port-unreachable from ")


@pytest.mark.parametrize("chain", ["INPUT", "OUTPUT"])
def test_a_drop_is_no_answer(play: Play, backend: str, chain: str) -> None:
    node = "b" if chain == "INPUT" else "a"
    drop = f'- {{on: {node}, run: "iptables -A {chain} -p udp --dport 53 -j DROP"}}\n'
    played = play(SERVE + drop + send("b:53", "no-answer"), iptables=backend)
    assert played.passed
    how = {"INPUT": "timed out", "OUTPUT": "Operation not permitted"}[chain]
    assert played.outcomes(3) == [f"no-answer {how}"]


@pytest.mark.parametrize("node", ["a", "b"])
@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        ("icmp-port-unreachable", "refused"),
        ("icmp-host-prohibited", "unreachable"),
        ("icmp-admin-prohibited", "unreachable"),
    ],
)
def test_a_reject_is_told_by_its_icmp_error(
    play: Play, backend: str, node: str, how: str, outcome: str
) -> None:
    chain = "OUTPUT" if node == "a" else "INPUT"
    rule = f"iptables -A {chain} -p udp --dport 53 -j REJECT --reject-with {how}"
    played = play(
        f'{SERVE}- {{on: {node}, run: "{rule}"}}\n{send("b:53", outcome)}', iptables=backend
    )
    assert played.passed
    sender = "10.0.0.1" if node == "a" else "10.0.0.2"
    assert played.outcomes(3) == [f"{outcome} {how.removeprefix('icmp-')} from {sender}"]


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("192.0.2.1:53", "unreachable Network is unreachable"),
        ("10.0.1.99:53", "unreachable host-unreachable from 10.0.1.1"),
        ("10.0.2.99:53", "unreachable host-unreachable from 10.0.1.254"),
    ],
)
def test_what_is_not_there_is_unreachable(play: Play, to: str, told: str) -> None:
    topology = IMPATIENT if to.startswith("10.") else "topology: {nodes: {a: {}}}\n"
    played = play(send(to, "unreachable"), topology)
    assert played.passed
    assert played.outcomes(1) == [told]


def test_a_datagram_carries_its_payload_from_its_source(play: Play) -> None:
    echo = program("""
        import socket
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("10.0.0.2", 5353))
        while True:
            payload, sender = server.recvfrom(100)
            print(sender, payload.decode(), flush=True)
            server.sendto(payload, sender)
    """)
    played = play(f"""
- on: b
  background: echo
  wait: {{listening: udp/5353}}
  run: |
    {echo}
{send("b:5353", more=', payload: hello, source: ":7001"')}
- {{check: {{stdout: {{of: echo, contains: hello}}}}}}
- {{check: {{stdout: {{of: echo, contains: "7001)"}}}}}}
""")
    assert played.passed
    (flow,) = played.all(Flow)
    assert (flow.answer_source, flow.answer_dest) == ("10.0.0.2:5353", "10.0.0.1:7001")


def test_what_a_server_saw_is_known_though_its_answer_is_lost(play: Play) -> None:
    played = play(
        SERVE
        + """
- {on: b, run: "iptables -A OUTPUT -p udp -j DROP"}
- connect: {from: a, to: "b:53", proto: udp, times: 20}
  expect: {outcome: no-answer, server: {node: b}, source_port: kept}
"""
    )
    assert played.passed


def test_each_flow_has_the_view_of_its_own_datagram(play: Play) -> None:
    played = play(
        SERVE
        + """
- {on: b, run: "iptables -A OUTPUT -p udp -m statistic --mode nth --every 2 --packet 0 -j DROP"}
- connect: {from: a, to: "b:53", proto: udp, times: 10}
  timeout: 60s
  expect: {outcome: no-answer, source_port: kept}
"""
    )
    flows = played.all(Flow)
    assert sorted({flow.outcome for flow in flows}) == ["answered", "no-answer"]
    assert [flow.source for flow in flows] == [
        flow.server.source if flow.server else None for flow in flows
    ]
