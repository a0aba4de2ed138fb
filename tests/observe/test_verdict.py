"""Sysctls, sockets, exit codes and output that a scenario expects, beside what was seen."""

from __future__ import annotations

import signal

import pytest

from lab.kernel.listeners import Listener
from lab.model.expectation import (
    ConntrackEntry,
    ExitCodeIs,
    Expectation,
    ListeningSocket,
    Stdout,
    Sysctl,
    Text,
)
from lab.observe.seen import Seen
from lab.observe.verdict import mismatches
from tests.observe.reading import HERE, address, pattern


def told(expected: Expectation, seen: Seen) -> list[tuple[str, str, str]]:
    """The mismatches as field, expected and observed."""
    found = mismatches(expected, seen)
    assert all(mismatch.location == "x.lab.yaml:7:5" for mismatch in found)
    return [(mismatch.field, mismatch.expected, mismatch.observed) for mismatch in found]


SYSCTLS = Seen(
    sysctls={
        ("a", "net.ipv4.ip_forward"): "1\n",
        ("a", "net.ipv4.tcp_rmem"): "4096\t131072\t6291456\n",
        ("a", "net.ipv4.ip_conntrack_max"): None,
    }
)


@pytest.mark.parametrize(
    ("key", "value", "observed"),
    [
        ("net.ipv4.ip_forward", "1", None),
        ("net.ipv4.tcp_rmem", "4096 131072 6291456", None),
        ("net.ipv4.ip_forward", "0", "1"),
        ("net.ipv4.tcp_rmem", "1 2 3", "4096 131072 6291456"),
        ("net.ipv4.ip_conntrack_max", "65536", "no such key"),
    ],
)
def test_a_sysctl(key: str, value: str, observed: str | None) -> None:
    expected = [] if observed is None else [(f"sysctls a {key}", value, observed)]
    assert told(Sysctl(HERE, "a", key, value), SYSCTLS) == expected


LISTENING = Seen(
    listeners={
        "b": (Listener("tcp", address("0.0.0.0:80")), Listener("udp", address("0.0.0.0:53")))
    }
)


@pytest.mark.parametrize(
    ("proto", "text", "present", "wanted", "observed"),
    [
        ("tcp", "0.0.0.0:80", True, "", ""),
        ("tcp", ":80", True, "", ""),
        ("udp", ":80", False, "", ""),
        (
            "tcp",
            "127.0.0.1:80",
            True,
            "tcp 127.0.0.1:80",
            "no such tcp socket (1 other: tcp 0.0.0.0:80)",
        ),
        ("tcp", "0.0.0.0:80", False, "no tcp 0.0.0.0:80", "tcp 0.0.0.0:80"),
        ("sctp", "0.0.0.0:80", True, "sctp 0.0.0.0:80", "no sctp socket"),
    ],
)
def test_a_listening_socket(
    proto: str, text: str, present: bool, wanted: str, observed: str
) -> None:
    expected = [("sockets b", wanted, observed)] if wanted else []
    assert told(ListeningSocket(HERE, "b", proto, pattern(text), present), LISTENING) == expected


@pytest.mark.parametrize(
    ("code", "exit_code", "observed"),
    [
        (0, 0, None),
        (2, 2, None),
        (None, 1, None),
        (None, -signal.SIGTERM, None),
        (0, 3, "3"),
        (0, -signal.SIGKILL, "killed by SIGKILL"),
        (0, -200, "killed by signal 200"),
        (None, 0, "0"),
        (None, None, "still running"),
        (0, None, "still running"),
    ],
)
def test_an_exit_code(code: int | None, exit_code: int | None, observed: str | None) -> None:
    wanted = "nonzero" if code is None else str(code)
    expected = [] if observed is None else [("exit", wanted, observed)]
    assert told(ExitCodeIs(HERE, code), Seen(exit=exit_code)) == expected


OUTPUT = "Trying 192.168.2.100...\nConnected to 192.168.2.100.\nEscape character is '^]'.\n"


@pytest.mark.parametrize(
    "text",
    [
        Text(equals=OUTPUT),
        Text(equals=OUTPUT.rstrip("\n")),
        Text(contains="Connected to 192.168.2.100.\n"),
        Text(matches=r"^Connected to [\d.]+$"),
    ],
)
def test_an_output_fits(text: Text) -> None:
    assert told(Stdout(HERE, text), Seen(stdout=OUTPUT)) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (Text(equals="Connected to 192.168.2.100."), "Connected to 192.168.2.100."),
        (Text(contains="refused"), "contains 'refused'"),
        (Text(matches="^to"), "matches '^to'"),
    ],
)
def test_an_output_that_does_not_fit_is_shown(text: Text, wanted: str) -> None:
    assert told(Stdout(HERE, text), Seen(stdout=OUTPUT)) == [("stdout", wanted, OUTPUT[:-1])]


def test_of_a_long_output_the_end_is_shown() -> None:
    lines = "".join(f"{number}\n" for number in range(100))
    ((_, _, observed),) = told(Stdout(HERE, Text(contains="x")), Seen(stdout=lines))
    assert observed.splitlines() == ["…", *map(str, range(80, 100))]


def test_no_output_is_called_nothing() -> None:
    assert told(Stdout(HERE, Text(contains="x")), Seen(stdout="\n")) == [
        ("stdout", "contains 'x'", "nothing")
    ]


def test_the_output_of_a_background_process_goes_by_its_name() -> None:
    seen = Seen(backgrounds={"dnsmasq": "DHCPACK"})
    assert told(Stdout(HERE, Text(contains="DHCPACK"), "dnsmasq"), seen) == []
    assert told(Stdout(HERE, Text(contains="DHCPNAK"), "dnsmasq"), seen) == [
        ("stdout of dnsmasq", "contains 'DHCPNAK'", "DHCPACK")
    ]


def test_a_node_that_nobody_looked_at_is_the_step_s_own_error() -> None:
    with pytest.raises(KeyError):
        mismatches(ConntrackEntry(HERE, "router"), Seen())
