"""`check`: what holds in a node, and how it is told where it does not."""

from __future__ import annotations

import pytest

from lab.model.events import Observation
from tests.steps.conftest import Play
from tests.steps.playing import ROUTED

# A table of one connection, through a router that rewrites it.
TRACKED = """\
- {on: b, serve: {tcp: 80}}
- on: r
  run: |
    iptables -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to 10.0.2.1:80
    iptables -A FORWARD -p tcp --dport 80 -j ACCEPT
    iptables -A FORWARD -p udp -j DROP
    iptables -P INPUT DROP
- {connect: {from: a, to: "r:8080", source: ":7001"}}
"""


def check(what: str, backend: str = "nft") -> str:
    """A step that checks something on the router."""
    return f"- {{on: r, check: {{{what}}}}}\n"


@pytest.mark.parametrize(
    "entry",
    [
        'original: "a > r:8080", reply: "b:80 > a"',
        'original: "10.0.1.1:7001 > 10.0.1.254:8080", state: TIME_WAIT, status: ASSURED',
        "proto: tcp, count: 1",
        "proto: udp, none: true",
        'original: "a > r:8081", count: 0',
    ],
)
def test_conntrack_entries(play: Play, backend: str, entry: str) -> None:
    assert play(TRACKED + check(f"conntrack: {{{entry}}}"), ROUTED, backend).passed


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            'original: "a > r:8080", reply: "b:81 > a"',
            [
                (
                    "conntrack r reply",
                    "b:81 (10.0.2.1:81) > a (10.0.1.1)",
                    "10.0.2.1:80 > 10.0.1.1:7001",
                )
            ],
        ),
        (
            'original: "a > r:8080", state: ESTABLISHED',
            [("conntrack r state", "ESTABLISHED", "TIME_WAIT")],
        ),
        (
            'original: "a > r:8080", status: UNREPLIED',
            [("conntrack r status", "UNREPLIED", "ASSURED")],
        ),
        (
            "proto: tcp, count: 2",
            [
                (
                    "conntrack r count",
                    "2 of tcp",
                    "1: tcp TIME_WAIT 10.0.1.1:7001 > 10.0.1.254:8080,"
                    " reply 10.0.2.1:80 > 10.0.1.1:7001 [ASSURED]",
                )
            ],
        ),
        (
            "proto: udp",
            [
                (
                    "conntrack r",
                    "udp",
                    "no such entry (1 other: tcp TIME_WAIT 10.0.1.1:7001 > 10.0.1.254:8080,"
                    " reply 10.0.2.1:80 > 10.0.1.1:7001 [ASSURED])",
                )
            ],
        ),
    ],
)
def test_conntrack_entries_that_are_not_so(
    play: Play, entry: str, told: list[tuple[str, str, str]]
) -> None:
    played = play(TRACKED + check(f"conntrack: {{{entry}}}"), ROUTED)
    assert played.mismatches(4) == told


def test_an_entry_that_was_looked_at_is_shown(play: Play) -> None:
    played = play(TRACKED + check("conntrack: {proto: tcp}"), ROUTED)
    assert [(seen.kind, seen.node, seen.text) for seen in played.all(Observation)] == [
        (
            "conntrack",
            "r",
            "tcp TIME_WAIT 10.0.1.1:7001 > 10.0.1.254:8080,"
            " reply 10.0.2.1:80 > 10.0.1.1:7001 [ASSURED]",
        )
    ]


@pytest.mark.parametrize(
    "rules",
    [
        "{chain: FORWARD, count: 2}",
        "{chain: FORWARD, rule: 2, packets: 0, text: -p udp}",
        '{chain: FORWARD, rule: 1, packets: ">=4", text: "--dport 80 -j ACCEPT"}',
        "{chain: FORWARD, text: --dport 80, packets: 1..20}",
        "{table: nat, chain: PREROUTING, rule: 1, packets: 1}",
        "{table: mangle, chain: FORWARD, count: 0}",
        "{chain: INPUT, count: 0, family: ipv6}",
        "[{chain: FORWARD, count: 2}, {chain: INPUT, count: 0}]",
    ],
)
def test_rules(play: Play, backend: str, rules: str) -> None:
    assert play(TRACKED + check(f"rules: {rules}"), ROUTED, backend).passed


UDP_RULE = "#2 [0:0] -A FORWARD -p udp -j DROP"


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("rule: 2, packets: 1", ("#2 packets", "1", f"0 ({UDP_RULE})")),
        ("rule: 2, text: -p tcp", ("#2 text", "-p tcp", "-A FORWARD -p udp -j DROP")),
        ("text: -p udp, packets: '>=2'", ("text packets", ">=2", f"0 ({UDP_RULE})")),
        ("rule: 3, text: -p icmp", ("#3", "-p icmp", "2 rules: ")),
        ("count: 3", ("count", "3", "2 rules: ")),
    ],
)
def test_rules_that_are_not_so(
    play: Play, backend: str, rules: str, told: tuple[str, str, str]
) -> None:
    played = play(TRACKED + check(f"rules: {{chain: FORWARD, {rules}}}"), ROUTED, backend)
    ((field, expected, observed),) = played.mismatches(4)
    assert (field, expected) == (f"rules r filter/FORWARD {told[0]}", told[1])
    assert observed.startswith(told[2])


def test_a_chain_that_is_not_there(play: Play, backend: str) -> None:
    played = play(check("rules: {chain: WEB, count: 1}"), ROUTED, backend)
    assert played.mismatches(1) == [("rules r filter/WEB", "a chain", "no such chain")]


def test_hits_are_those_of_the_step(play: Play, backend: str) -> None:
    hits = "rules: {{on: r, table: nat, chain: PREROUTING, rule: 1, hits: {0}}}"
    connect = '- {{connect: {{from: a, to: "r:8080", times: {0}}}, expect: {{{1}}}}}\n'
    played = play(
        TRACKED
        + connect.format(3, hits.format(3))
        + connect.format(1, hits.format(1))
        + connect.format(1, hits.format(2))
        + '- {connect: {from: a, to: "b:80"}, expect: {'
        + hits.format(0)
        + "}}",
        ROUTED,
        backend,
    )
    assert played.statuses == "passed passed passed passed passed failed passed"
    ((field, expected, observed),) = played.mismatches(6)
    assert (field, expected) == ("rules r nat/PREROUTING #1 hits", "2")
    assert observed.startswith("1 (#1 [6:")


def test_policies(play: Play, backend: str) -> None:
    played = play(
        TRACKED
        + check("policies: {filter/INPUT: DROP, filter/FORWARD: ACCEPT, nat/OUTPUT: ACCEPT}")
        + check("policies: {filter/INPUT: ACCEPT, filter/FORWARD: DROP}"),
        ROUTED,
        backend,
    )
    assert played.statuses == "passed passed passed passed failed"
    assert played.mismatches(5) == [
        ("policies r filter/INPUT", "ACCEPT", "DROP"),
        ("policies r filter/FORWARD", "DROP", "ACCEPT"),
    ]


def test_routes(play: Play) -> None:
    played = play(
        """
- on: a
  check:
    routes:
      - default via 10.0.1.254 dev eth0
      - 10.0.1.0/24 dev eth0 src 10.0.1.1
      - default via fd01::ff
      - {text: 192.0.2.0/24, present: false}
      - {on: b, text: default via 10.0.2.254}
- on: a
  check:
    routes:
      - default via 10.0.1.1
      - 192.0.2.0/24 dev eth0
      - {text: default via 10.0.1.254, present: false}
""",
        ROUTED,
    )
    assert played.statuses == "passed failed"
    told = played.mismatches(2)
    assert [(field, expected) for field, expected, _ in told] == [
        ("routes a", "default via 10.0.1.1"),
        ("routes a", "192.0.2.0/24 dev eth0"),
        ("routes a", "no route default via 10.0.1.254"),
    ]
    assert told[0][2].startswith("default via 10.0.1.254 dev eth0")
    assert told[1][2].startswith("no such route (")
    assert told[2][2].startswith("default via 10.0.1.254 dev eth0")


def test_neighbours(play: Play) -> None:
    played = play("""
- {on: a, run: ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0}
- {ping: {from: a, to: b}}
- on: a
  check:
    neighbours:
      - 10.0.0.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT
      - 10.0.0.2 lladdr 02:00:00:02:00:02
      - {text: 10.0.0.8, present: false}
- on: a
  check:
    neighbours:
      - 10.0.0.9 lladdr 02:00:00:00:00:10
      - 10.0.0.8
      - {text: 10.0.0.9, present: false}
""")
    assert played.statuses == "passed passed passed failed"
    entry = "10.0.0.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT"
    told = played.mismatches(4)
    assert told[0] == ("neighbours a", "10.0.0.9 lladdr 02:00:00:00:00:10", entry)
    assert told[1][2].startswith("no such neighbour (2 others: ")
    assert told[2] == ("neighbours a", "no neighbour 10.0.0.9", entry)


def test_sysctls(play: Play) -> None:
    played = play(
        """
- {on: a, run: sysctl -w net.ipv4.ip_local_port_range="40000 40010"}
- on: a
  check:
    sysctls: {net.ipv4.ip_forward: 0, net.ipv4.ip_local_port_range: 40000 40010}
- {on: r, check: {sysctls: {net.ipv4.ip_forward: 1}}}
- {on: a, check: {sysctls: {net.ipv4.ip_forward: 1, net.ipv4.no_such_key: 1}}}
""",
        ROUTED,
    )
    assert played.statuses == "passed passed passed failed"
    assert played.mismatches(4) == [
        ("sysctls a net.ipv4.ip_forward", "1", "0"),
        ("sysctls a net.ipv4.no_such_key", "1", "no such key"),
    ]


def test_sockets(play: Play) -> None:
    played = play("""
- {on: b, serve: {tcp: 80, udp: 53}}
- on: b
  check:
    sockets: ["tcp *:80", "udp *:53", {text: "tcp *:81", present: false}]
- on: b
  check:
    sockets: ["tcp *:81", {text: "udp *:53", present: false}]
- {on: a, check: {sockets: ["tcp *:80"]}}
""")
    assert played.statuses == "passed passed failed failed"
    assert [(field, expected) for field, expected, _ in played.mismatches(3)] == [
        ("sockets b", "tcp *:81"),
        ("sockets b", "no udp *:53"),
    ]
    assert played.mismatches(4) == [("sockets a", "tcp *:80", "no tcp socket")]


def test_a_check_that_fails_lets_the_scenario_go_on(play: Play) -> None:
    played = play("""
- {on: a, check: {sysctls: {net.ipv4.ip_forward: 1}}}
- {on: a, run: "true"}
""")
    assert played.statuses == "failed passed"
