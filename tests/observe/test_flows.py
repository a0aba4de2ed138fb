"""Outcomes and tuples that a scenario expects, beside the flows that were sent."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from lab.model.events import Mismatch
from lab.model.expectation import ClientSaw, Expectation, Outcome, OutcomeIs, ServerSaw, SourcePort
from lab.observe.seen import FlowSeen, Seen, ServerView
from lab.observe.verdict import mismatches
from tests.observe.reading import HERE, address, pattern, tuple_of


def told(expected: Expectation, *flows: FlowSeen) -> list[tuple[str, str, str]]:
    """The mismatches as field, expected and observed."""
    found = mismatches(expected, Seen(flows=flows))
    assert all(mismatch.location == "x.lab.yaml:7:5" for mismatch in found)
    return [(mismatch.field, mismatch.expected, mismatch.observed) for mismatch in found]


def connected(sport: int = 50176, seen_sport: int | None = None) -> FlowSeen:
    return FlowSeen(
        Outcome.CONNECTED,
        source=address(f"10.10.10.10:{sport}"),
        answer=tuple_of(f"22.22.22.22:81 > 10.10.10.10:{sport}"),
        server=ServerView(
            node="s2",
            source=address(f"10.10.10.10:{seen_sport or sport}"),
            dest=address("192.168.1.2:80"),
            errno="ENOENT",
        ),
    )


TIMED_OUT = FlowSeen(Outcome.NO_ANSWER, evidence="timed out")
PROHIBITED = FlowSeen(
    Outcome.UNREACHABLE, icmp="admin-prohibited", sender=ip_address("22.22.22.22")
)


def test_an_outcome_holds() -> None:
    assert told(OutcomeIs(HERE, Outcome.CONNECTED), connected()) == []


def test_another_outcome_is_told_with_its_evidence() -> None:
    assert told(OutcomeIs(HERE, Outcome.CONNECTED), TIMED_OUT) == [
        ("outcome", "connected", "no-answer (timed out)")
    ]
    assert told(OutcomeIs(HERE, Outcome.CONNECTED), PROHIBITED) == [
        ("outcome", "connected", "unreachable (admin-prohibited) from 22.22.22.22")
    ]


@pytest.mark.parametrize("name", ["admin-prohibited", "adm-prohibited"])
def test_an_icmp_error_goes_by_its_name(name: str) -> None:
    assert told(OutcomeIs(HERE, Outcome.UNREACHABLE, name), PROHIBITED) == []


def test_another_icmp_error_is_told() -> None:
    assert told(OutcomeIs(HERE, Outcome.UNREACHABLE, "host-unreachable"), PROHIBITED) == [
        ("icmp", "host-unreachable", "admin-prohibited")
    ]


def test_an_unreachable_that_no_icmp_error_made_is_told() -> None:
    no_route = FlowSeen(Outcome.UNREACHABLE, detail="No route to host")
    assert told(OutcomeIs(HERE, Outcome.UNREACHABLE, "host-unreachable"), no_route) == [
        ("icmp", "host-unreachable", "no ICMP error (unreachable (No route to host))")
    ]


def test_of_many_flows_those_that_failed_are_named() -> None:
    expected = OutcomeIs(HERE, Outcome.CONNECTED)
    assert told(expected, connected(), TIMED_OUT, connected()) == [
        ("outcome of flow 2", "connected", "no-answer (timed out)")
    ]
    assert told(expected, TIMED_OUT, PROHIBITED, TIMED_OUT) == [
        ("outcome of flows 1, 3", "connected", "no-answer (timed out)"),
        ("outcome of flow 2", "connected", "unreachable (admin-prohibited) from 22.22.22.22"),
    ]
    assert told(expected, connected(), *[TIMED_OUT] * 9) == [
        ("outcome of 9 of 10 flows", "connected", "no-answer (timed out)")
    ]


def test_what_the_server_saw_holds() -> None:
    expected = ServerSaw(
        HERE,
        node="s2",
        source=pattern("10.10.10.10"),
        dest=pattern("192.168.1.2:80"),
        errno="ENOENT",
    )
    assert told(expected, connected()) == []


def test_each_field_that_the_server_saw_otherwise_is_told() -> None:
    expected = ServerSaw(
        HERE,
        node="s1",
        source=pattern("192.168.1.3"),
        dest=pattern(":81"),
        original=pattern("22.22.22.22:81"),
    )
    assert told(expected, connected()) == [
        ("server node", "s1", "s2"),
        ("server source", "192.168.1.3", "10.10.10.10:50176"),
        ("server dest", ":81 (*:81)", "192.168.1.2:80"),
        ("server original", "22.22.22.22:81", "ENOENT"),
    ]


def test_an_original_destination_in_place_of_an_error_is_told() -> None:
    view = ServerView(
        "b", address("1.1.1.1:5"), address("2.2.2.2:80"), original=address("3.3.3.3:81")
    )
    flow = FlowSeen(Outcome.CONNECTED, server=view)
    assert told(ServerSaw(HERE, errno="ENOENT"), flow) == [
        ("server original", "ENOENT", "3.3.3.3:81")
    ]
    assert told(ServerSaw(HERE, original=pattern("3.3.3.3:81")), flow) == []


def test_a_server_that_did_not_answer_saw_nothing() -> None:
    expected = ServerSaw(HERE, node="s2", dest=pattern("192.168.1.2:80"), errno="ENOENT")
    assert told(expected, TIMED_OUT) == [
        (
            "server",
            "node s2, dest 192.168.1.2:80, original ENOENT",
            "no test server answered: no-answer (timed out)",
        )
    ]


def test_the_client_compares_the_answer() -> None:
    expected = ClientSaw(HERE, source=pattern("192.168.1.2:80"), dest=pattern("10.10.10.10"))
    assert told(expected, connected()) == [("client source", "192.168.1.2:80", "22.22.22.22:81")]
    assert told(ClientSaw(HERE, source=pattern("22.22.22.22:81")), connected()) == []


def test_without_an_answer_the_client_saw_nothing() -> None:
    assert told(ClientSaw(HERE, source=pattern("22.22.22.22:81")), TIMED_OUT) == [
        ("client", "source 22.22.22.22:81", "no answer: no-answer (timed out)")
    ]


def test_a_source_port_is_kept_or_rewritten() -> None:
    kept, rewritten = connected(), connected(50176, 1024)
    assert told(SourcePort(HERE, "kept"), kept) == []
    assert told(SourcePort(HERE, "rewritten"), rewritten) == []
    assert told(SourcePort(HERE, "kept"), rewritten) == [
        ("source_port", "kept", "rewritten: 50176 at the client, 1024 at the server")
    ]
    assert told(SourcePort(HERE, "rewritten"), kept) == [
        ("source_port", "rewritten", "kept: 50176 at the client, 50176 at the server")
    ]


def test_without_a_server_the_source_port_is_unknown() -> None:
    assert told(SourcePort(HERE, "kept"), TIMED_OUT) == [
        ("source_port", "kept", "unknown: no test server answered: no-answer (timed out)")
    ]


def test_source_ports_are_distinct() -> None:
    expected = SourcePort(HERE, "distinct")
    assert told(expected, connected(1), connected(2), connected(3)) == []
    assert told(expected, connected(1), connected(2), connected(1)) == [
        ("source_port", "distinct", "2 ports in 3 flows: 1 again")
    ]
    assert told(expected, connected(1), TIMED_OUT) == [
        ("source_port", "distinct", "unknown for 1 flow of 2")
    ]


def test_a_mismatch_says_where_it_was_expected() -> None:
    (mismatch,) = mismatches(OutcomeIs(HERE, Outcome.REFUSED), Seen(flows=(connected(),)))
    assert mismatch == Mismatch(
        field="outcome", expected="refused", observed="connected", location="x.lab.yaml:7:5"
    )
