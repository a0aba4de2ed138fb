from __future__ import annotations

import pytest

from lab.model.scenario import Check, Connect, Ping, Ready, Restore, Run, Serve
from tests.spec.conftest import Mistakes, Read, ReadSteps


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ('{on: a, run: "\\n iptables -F\\n ip addr"}', "a runs iptables -F"),
        ("{on: b, serve: {tcp: [80, 81], udp: 53}}", "b serves tcp/80, tcp/81, udp/53"),
        ('{connect: {from: client, to: "b:80"}}', "client connects to b:80"),
        ('{connect: {from: client, to: "b:53", proto: udp}}', "client sends a datagram to b:53"),
        ("{ping: {from: client, to: b}}", "client pings b"),
        ('{on: a, restore: "*filter"}', "a restores its rules"),
        ("{on: a, check: {routes: [x], neighbours: [y]}}", "check neighbours, routes of a"),
        ("{name: my own words, on: a, run: date}", "my own words"),
    ],
)
def test_a_step_without_a_name_is_named_by_what_it_does(
    read_steps: ReadSteps, step: str, name: str
) -> None:
    assert read_steps(f"  - {step}\n")[0].name == name


def test_steps_are_numbered_from_one(read_steps: ReadSteps) -> None:
    steps = read_steps("  - {on: a, run: date}\n  - {on: b, run: date}\n")
    assert [step.number for step in steps] == [1, 2]


def test_run(read_steps: ReadSteps) -> None:
    (step,) = read_steps("  - on: a\n    run: |\n      date\n      uptime\n")
    assert (step.verb, step.on) == ("run", "a")
    assert step.action == Run("date\nuptime\n", 5)
    assert step.expect == ()
    assert step.changes


def test_serve(read_steps: ReadSteps) -> None:
    (step,) = read_steps("  - {on: b, serve: {tcp: 80, hold: true}}\n")
    assert step.action == Serve((80,), (), hold=True)


def test_connect(read_steps: ReadSteps) -> None:
    (step,) = read_steps(
        """
        - on: client
          connect: {to: "a:80", source: "192.168.1.185:1024", payload: hello}
        """
    )
    assert isinstance(step.action, Connect)
    assert (step.action.node, str(step.action.to.ip), step.action.to.port) == (
        "client",
        "192.168.1.34",
        80,
    )
    assert (str(step.action.source_ip), step.action.source_port) == ("192.168.1.185", 1024)
    assert step.action.payload == "hello"
    assert not step.changes


def test_ping(read_steps: ReadSteps) -> None:
    (step,) = read_steps("  - {ping: {from: client, to: 192.168.1.99, count: 3}}\n")
    assert isinstance(step.action, Ping)
    assert (str(step.action.to.ip), step.action.to.port, step.action.count) == (
        "192.168.1.99",
        None,
        3,
    )


def test_restore(read_steps: ReadSteps) -> None:
    plain, full = read_steps(
        """
        - {on: a, restore: "*filter"}
        - {on: a, restore: {text: "*raw", family: ipv6, noflush: true}}
        """
    )
    assert plain.action == Restore("*filter")
    assert full.action == Restore("*raw", "ipv6", noflush=True)


def test_check(read_steps: ReadSteps) -> None:
    (step,) = read_steps("  - {on: a, check: {routes: [default]}}\n")
    assert step.action == Check()
    assert len(step.expect) == 1


def test_a_target_may_be_on_no_interface(read_steps: ReadSteps) -> None:
    (step,) = read_steps('  - {connect: {from: client, to: "203.0.113.7:80"}}\n')
    assert str(step.action.to.ip) == "203.0.113.7"  # type: ignore[union-attr]


def test_a_source_may_be_what_a_script_adds(read_steps: ReadSteps) -> None:
    _, step = read_steps(
        """
        - {on: client, run: ip addr add 192.168.1.186/24 dev eth0}
        - {connect: {from: client, to: "a:80", source: 192.168.1.186}}
        """
    )
    assert str(step.action.source_ip) == "192.168.1.186"  # type: ignore[union-attr]


def test_a_longer_address_in_a_script_does_not_count(mistakes: Mistakes) -> None:
    assert mistakes(
        """
        topology: single-nic
        steps:
          - {on: client, run: ip addr add 192.168.1.186/24 dev eth0}
          - {connect: {from: client, to: "a:80", source: 192.168.1.18}}
        """
    ) == ["address 192.168.1.18 is on no interface of 'client', and nothing adds it"]


def test_durations(read_steps: ReadSteps) -> None:
    (step,) = read_steps("  - {connect: {from: client, to: 'a:80'}, timeout: 1m, wait: 500ms}\n")
    assert (step.timeout, step.retry) == (60.0, 0.5)


@pytest.mark.parametrize(
    ("wait", "ready"),
    [
        ("{stdout: started}", Ready(stdout="started")),
        ("{listening: udp/53}", Ready(listening=("udp", 53))),
        ("{command: ss -l}", Ready(command="ss -l")),
    ],
)
def test_a_background_process_is_ready_when_a_condition_holds(
    read_steps: ReadSteps, wait: str, ready: Ready
) -> None:
    (step,) = read_steps(f"  - {{on: a, run: dnsmasq, background: dhcp, wait: {wait}}}\n")
    assert (step.background, step.ready, step.retry) == ("dhcp", ready, 0.0)


def test_a_background_process_without_a_condition_is_ready_at_once(read_steps: ReadSteps) -> None:
    (step,) = read_steps("  - {on: a, run: sleep 9, background: sleeper}\n")
    assert (step.background, step.ready) == ("sleeper", None)


def test_two_variants_may_have_background_processes_of_one_name(read: Read) -> None:
    scenario = read(
        """
        topology: single-nic
        steps:
          - {on: a, run: nc, background: nc, when: {iptables: nft}}
          - {on: b, run: nc, background: nc, when: {iptables: [legacy]}}
        """
    )
    assert [step.when for step in scenario.steps] == [
        (("iptables", ("nft",)),),
        (("iptables", ("legacy",)),),
    ]


def test_a_check_cannot_look_at_what_is_started_later(mistakes: Mistakes) -> None:
    assert mistakes(
        """
        topology: single-nic
        steps:
          - check: {stdout: {of: nc, contains: x}}
          - {on: a, run: nc, background: nc}
        """
    ) == ["no step before this has 'background: nc'"]


def test_proves(read_steps: ReadSteps) -> None:
    (step,) = read_steps("  - {on: a, run: date, proves: [D0-01, D0-02]}\n")
    assert step.proves == ("D0-01", "D0-02")
