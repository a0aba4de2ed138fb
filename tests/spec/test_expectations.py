from __future__ import annotations

from typing import Any, TypeVar

import pytest

from lab.model.address import Count
from lab.model.expectation import (
    ClientSaw,
    ConntrackEntry,
    ExitCodeIs,
    Expectation,
    ListeningSocket,
    Neighbour,
    Outcome,
    OutcomeIs,
    Packets,
    Policy,
    RouteLine,
    RuleCounter,
    ServerSaw,
    SourcePort,
    Stdout,
    Sysctl,
    Text,
)
from lab.observe import icmp
from lab.spec.expectations import ICMP_ERRORS
from tests.spec.conftest import ReadSteps

E = TypeVar("E")


def only(kind: type[E], expectations: tuple[Expectation, ...]) -> E:
    """The only expectation of a kind."""
    (found,) = [item for item in expectations if isinstance(item, kind)]
    return found


@pytest.fixture
def of_connection(read_steps: ReadSteps) -> Any:
    """The expectations of a connection that `expect` gives."""

    def read(expect: str, **more: object) -> tuple[Expectation, ...]:
        flow = {"from": "client", "to": '"b:80"', **more}
        written = ", ".join(f"{key}: {value}" for key, value in flow.items())
        return read_steps(f"  - connect: {{{written}}}\n    expect: {expect}\n")[0].expect

    return read


@pytest.fixture
def of_check(read_steps: ReadSteps) -> Any:
    """The expectations of a check."""

    def read(check: str) -> tuple[Expectation, ...]:
        return read_steps(f"  - on: a\n    check: {check}\n")[0].expect

    return read


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        ('{connect: {from: client, to: "b:80"}}', Outcome.CONNECTED),
        ('{connect: {from: client, to: "b:53", proto: udp}}', Outcome.ANSWERED),
        ("{ping: {from: client, to: b}}", Outcome.ANSWERED),
    ],
)
def test_a_flow_must_succeed_unless_the_step_says_otherwise(
    read_steps: ReadSteps, step: str, outcome: Outcome
) -> None:
    assert only(OutcomeIs, read_steps(f"  - {step}\n")[0].expect).outcome is outcome


def test_a_flow_must_succeed_even_where_only_other_things_are_expected(of_connection: Any) -> None:
    expected = of_connection("{server: {node: b}}")
    assert only(OutcomeIs, expected).outcome is Outcome.CONNECTED


def test_unreachable_with_its_icmp_error(of_connection: Any) -> None:
    expected = only(OutcomeIs, of_connection("{outcome: unreachable, icmp: host-prohibited}"))
    assert (expected.outcome, expected.icmp) == (Outcome.UNREACHABLE, "host-prohibited")


def test_icmp_errors_have_the_names_by_which_they_are_observed() -> None:
    redirects = {"net-redirect", "host-redirect"}
    assert set(ICMP_ERRORS) == icmp.NAMES - redirects


def test_what_the_server_saw(of_connection: Any) -> None:
    expected = only(
        ServerSaw,
        of_connection('{server: {node: b, source: a, dest: ":80", original: "a:eth0:81"}}'),
    )
    assert expected.node == "b"
    assert str(expected.source) == "a (192.168.1.34)"
    assert str(expected.dest) == "*:80"
    assert str(expected.original) == "a:eth0:81 (192.168.1.34:81)"


def test_the_error_in_place_of_an_original_destination(of_connection: Any) -> None:
    expected = only(ServerSaw, of_connection("{server: {original: ENOENT}}"))
    assert (expected.original, expected.errno) == (None, "ENOENT")


def test_what_the_client_saw(of_connection: Any) -> None:
    expected = only(ClientSaw, of_connection('{client: {source: "192.168.1.34:81"}}'))
    assert str(expected.source) == "192.168.1.34:81"
    assert expected.dest is None


def test_source_ports(of_connection: Any) -> None:
    assert only(SourcePort, of_connection("{source_port: kept}")).rule == "kept"
    assert only(SourcePort, of_connection("{source_port: distinct}", times=2)).rule == "distinct"


def test_conntrack_entries(of_connection: Any) -> None:
    expected = of_connection(
        "{conntrack: [{on: a, state: ESTABLISHED, status: [ASSURED]}, {on: b, none: true},"
        ' {on: b, count: "1..3"}]}'
    )
    first, none, few = [item for item in expected if isinstance(item, ConntrackEntry)]
    assert (first.on, first.state, first.status) == ("a", "ESTABLISHED", ("ASSURED",))
    assert first.count == Count(1, None)
    assert none.count == Count.exactly(0)
    assert few.count == Count(1, 3)


def test_packets_stay_in_order(of_connection: Any) -> None:
    expected = only(
        Packets,
        of_connection(
            '{packets: [{at: "b:eth0", tcp: "client > b:80", flags: AS, ttl: 64},'
            ' {at: "a:lo", udp: "a > a:53", seen: false}]}'
        ),
    )
    first, second = expected.packets
    assert (first.node, first.interface, first.proto, first.flags) == ("b", "eth0", "tcp", "AS")
    assert (first.ttl, first.seen) == (64, True)
    assert (second.interface, second.seen) == ("lo", False)


def test_an_interface_may_be_what_a_script_makes(read_steps: ReadSteps) -> None:
    _, step = read_steps(
        """
        - {on: a, run: ip link add dummy0 type dummy}
        - connect: {from: client, to: "a:80"}
          expect: {packets: [{at: "a:dummy0", tcp: "client > a:80"}]}
        """
    )
    assert only(Packets, step.expect).packets[0].interface == "dummy0"


def test_rules(of_connection: Any) -> None:
    expected = only(
        RuleCounter,
        of_connection('{rules: {on: a, table: nat, chain: PREROUTING, rule: 2, hits: ">=1"}}'),
    )
    assert (expected.table, expected.chain, expected.rule) == ("nat", "PREROUTING", 2)
    assert expected.hits == Count(1, None)


def test_exit_codes_and_output(read_steps: ReadSteps) -> None:
    zero, nonzero = read_steps(
        """
        - {on: a, run: date, expect: {exit: 0, stdout: "20"}}
        - {on: a, run: date, expect: {exit: nonzero, stdout: {matches: "^2"}}}
        """
    )
    assert only(ExitCodeIs, zero.expect).code == 0
    assert only(Stdout, zero.expect).text == Text(contains="20")
    assert only(ExitCodeIs, nonzero.expect).code is None
    assert only(Stdout, nonzero.expect).text == Text(matches="^2")


def test_policies(of_check: Any) -> None:
    expected = only(Policy, of_check("{policies: {filter/INPUT: DROP}}"))
    assert (expected.on, expected.table, expected.chain, expected.policy) == (
        "a",
        "filter",
        "INPUT",
        "DROP",
    )


def test_routes_and_neighbours(of_check: Any) -> None:
    expected = of_check(
        "{routes: [default via 10.0.0.1, {text: 10.0.0.0/8, present: false}],"
        " neighbours: [{text: 192.168.1.32 REACHABLE, on: b}]}"
    )
    routes = [item for item in expected if isinstance(item, RouteLine)]
    assert [(item.text, item.present) for item in routes] == [
        ("default via 10.0.0.1", True),
        ("10.0.0.0/8", False),
    ]
    assert only(Neighbour, expected).on == "b"


def test_settings(of_check: Any) -> None:
    expected = only(Sysctl, of_check("{sysctls: {net.ipv4.ip_forward: 1}}"))
    assert (expected.on, expected.key, expected.value) == ("a", "net.ipv4.ip_forward", "1")


@pytest.mark.parametrize(
    ("text", "proto", "address"),
    [
        ("tcp 0.0.0.0:80", "tcp", "0.0.0.0:80"),
        ("udp [::]:53", "udp", "[::]:53"),
        ("tcp *:80", "tcp", "*:80"),
        ("tcp :80", "tcp", "*:80"),
    ],
)
def test_sockets(of_check: Any, text: str, proto: str, address: str) -> None:
    expected = only(ListeningSocket, of_check(f'{{sockets: ["{text}"]}}'))
    assert (expected.proto, str(expected.address)) == (proto, address)


def test_output_of_a_background_process(read_steps: ReadSteps) -> None:
    _, step = read_steps(
        """
        - {on: a, run: tcpdump, background: dump}
        - check: {stdout: {of: dump, contains: SYN}}
        """
    )
    expected = only(Stdout, step.expect)
    assert (expected.background, expected.text) == ("dump", Text(contains="SYN"))
