"""Every expected value has an alteration, and each alteration is one that cannot be true too."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.address import AddressPattern, Count, IPAddress, SocketAddress, TuplePattern
from lab.model.errors import Location
from lab.model.expectation import (
    ConntrackEntry,
    ExitCodeIs,
    Expectation,
    Packet,
    Packets,
    RouteLine,
    RuleCounter,
    Stdout,
    Text,
)
from tests.mutation.scenarios import PAIR, read
from tools.mutation.alteration import ALTERED, PARTS, WHERE, alterations
from tools.mutation.altered_text import altered_lines, altered_pattern, altered_text, altered_value
from tools.mutation.unnamed import Unnamed

HERE = Location("a.lab.yaml", 1, 1)
STEP = '  - connect: {from: client, to: "10.0.0.2:80", source: ":81"}\n'


@pytest.fixture(scope="module")
def unnamed(tmp_path_factory: pytest.TempPathFactory) -> Unnamed:
    return Unnamed(read(tmp_path_factory.mktemp("scenario"), PAIR + STEP))


def types_in(hint: Any) -> Iterator[type]:
    """The classes that a type hint is made of."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is not None:
        for argument in typing.get_args(hint):
            yield from types_in(argument)
    elif isinstance(hint, type) and hint is not type(None):
        yield hint


def reachable(classes: Iterator[type]) -> set[type]:
    """Every dataclass that values of these classes consist of, counts and places apart."""
    found: set[type] = set()
    waiting = list(classes)
    while waiting:
        each = waiting.pop()
        if dataclasses.is_dataclass(each) and each not in {Count, Location, *found}:
            found.add(each)
            for hint in typing.get_type_hints(each).values():
                waiting += types_in(hint)
    return found


def fields_of_expectations() -> list[tuple[type, str]]:
    return [
        (each, field.name)
        for each in sorted(reachable(types_in(Expectation)), key=lambda each: each.__name__)
        for field in dataclasses.fields(each)
        if field.name != "location"
    ]


@pytest.mark.parametrize("field", fields_of_expectations(), ids=lambda f: f"{f[0].__name__}.{f[1]}")
def test_each_field_is_altered_or_says_where_to_look(field: tuple[type, str]) -> None:
    hint = typing.get_type_hints(field[0])[field[1]]
    has_parts = any(issubclass(each, PARTS) for each in types_in(hint))
    assert (field in ALTERED or has_parts) != (field in WHERE)


def test_no_alteration_is_of_a_field_that_is_no_more() -> None:
    assert {*ALTERED, *WHERE} <= set(fields_of_expectations())


def test_a_field_that_nobody_thought_of_is_told(unnamed: Unnamed) -> None:
    @dataclasses.dataclass(frozen=True)
    class Novelty:
        location: Location
        colour: str

    with pytest.raises(LookupError, match=r"Novelty\.colour"):
        list(alterations(Novelty(HERE, "red"), unnamed))  # type: ignore[arg-type]


def altered(expectation: Expectation, unnamed: Unnamed) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in alterations(expectation, unnamed):
        assert each.expectation != expectation
        assert each.expectation.location == expectation.location
        found.setdefault(each.field, []).append(each.after)
    return found


def pattern(ip: str, port: int | None = None) -> AddressPattern:
    return AddressPattern(ip_address(ip), port)


@pytest.fixture
def packet() -> Packet:
    ends = TuplePattern(pattern("10.0.0.1"), pattern("10.0.0.2", 80))
    return Packet(HERE, "client", "eth0", "tcp", ends, flags="S", ttl=64)


def test_each_value_of_a_packet_is_altered_in_turn(packet: Packet, unnamed: Unnamed) -> None:
    answer = dataclasses.replace(packet, flags="SA", ttl=None)
    found = altered(Packets(HERE, (packet, answer)), unnamed)
    assert {name: after for name, after in found.items() if name.startswith("packets[1]")} == {
        "packets[1].proto": ["dccp"],
        "packets[1].tuple.source.ip": ["10.0.0.3"],
        "packets[1].tuple.dest.ip": ["10.0.0.3"],
        "packets[1].tuple.dest.port": ["82"],
        "packets[1].flags": ["SU"],
        "packets[1].ttl": ["164"],
        "packets[1].seen": ["False"],
    }
    assert "packets[2].ttl" not in found
    assert len(found["packets"]) == 1


def test_equal_packets_have_no_order(packet: Packet, unnamed: Unnamed) -> None:
    again = dataclasses.replace(packet, location=Location("a.lab.yaml", 2, 1))
    assert "packets" not in altered(Packets(HERE, (packet, again)), unnamed)


def test_of_what_must_be_absent_only_the_absence_is_altered(
    packet: Packet, unnamed: Unnamed
) -> None:
    unseen = dataclasses.replace(packet, seen=False)
    assert altered(Packets(HERE, (unseen,)), unnamed) == {"packets[1].seen": ["True"]}
    none = ConntrackEntry(HERE, "server", proto="tcp", count=Count(0, 0))
    assert altered(none, unnamed) == {"count": [">=1"]}
    route = RouteLine(HERE, "server", "default via 10.0.0.1", present=False)
    assert altered(route, unnamed) == {"present": ["True"]}


def test_an_entry_that_must_be_there_may_also_not_be_there(unnamed: Unnamed) -> None:
    entry = ConntrackEntry(HERE, "server", status=("ASSURED", "OFFLOAD"))
    assert altered(entry, unnamed) == {
        "status": ["HW_OFFLOAD, OFFLOAD", "ASSURED, HW_OFFLOAD"],
        "count": ["0"],
    }


@given(
    minimum=st.integers(0, 9),
    more=st.one_of(st.none(), st.integers(0, 9)),
    observed=st.integers(0, 30),
)
def test_no_number_satisfies_a_count_and_its_alteration(
    unnamed: Unnamed, minimum: int, more: int | None, observed: int
) -> None:
    count = Count(minimum, None if more is None else minimum + more)
    others = [new for new in ALTERED[RuleCounter, "hits"](count, unnamed) if new != count]
    assert count.matches(observed) != any(other.matches(observed) for other in others)


def test_a_count_that_any_number_satisfies_survives_for_it_stays_what_it_is(
    unnamed: Unnamed,
) -> None:
    anything = Count(0, None)
    assert list(ALTERED[RuleCounter, "hits"](anything, unnamed)) == [anything]


@given(ip=st.ip_addresses())
def test_an_altered_address_is_another_one(unnamed: Unnamed, ip: IPAddress) -> None:
    (other,) = ALTERED[AddressPattern, "ip"](ip, unnamed)
    assert other.version == ip.version
    assert not AddressPattern(other).matches(SocketAddress(ip))


def test_an_altered_port_is_named_nowhere_in_the_scenario(unnamed: Unnamed) -> None:
    assert list(ALTERED[AddressPattern, "port"](80, unnamed)) == [82]
    (behind_the_last,) = ALTERED[AddressPattern, "port"](65535, unnamed)
    assert 0 < behind_the_last < 80


def test_any_exit_code_but_0_becomes_0(unnamed: Unnamed) -> None:
    assert altered(ExitCodeIs(HERE, None), unnamed) == {"code": ["0"]}
    assert altered(ExitCodeIs(HERE, 2), unnamed) == {"code": ["3"]}


def test_each_form_of_a_text_is_altered(unnamed: Unnamed) -> None:
    text = Text(equals="a", contains="b!", matches="^c$")
    assert altered(Stdout(HERE, text), unnamed) == {
        "text.equals": ["b"],
        "text.contains": ["c!"],
        "text.matches": ["^d$"],
    }


@given(text=st.text(max_size=20))
def test_an_altered_text_is_another_one(unnamed: Unnamed, text: str) -> None:
    (other,) = altered_text(text, unnamed)
    assert other != text


@pytest.mark.parametrize(
    ("value", "after"), [("1", "2"), ("4096 87380 9", "4096 87380 10"), ("cubic", "cubicx")]
)
def test_a_setting_becomes_the_next_value(unnamed: Unnamed, value: str, after: str) -> None:
    assert list(altered_value(value, unnamed)) == [after]


def test_each_word_of_a_route_becomes_another(unnamed: Unnamed) -> None:
    assert list(altered_lines("default via 10.0.0.1 dev eth0 metric 100", unnamed)) == [
        "192.0.2.0/24 via 10.0.0.1 dev eth0 metric 100",
        "default viax 10.0.0.1 dev eth0 metric 100",
        "default via 10.0.0.3 dev eth0 metric 100",
        "default via 10.0.0.1 devx eth0 metric 100",
        "default via 10.0.0.1 dev eth0x metric 100",
        "default via 10.0.0.1 dev eth0 metricx 100",
        "default via 10.0.0.1 dev eth0 metric 101",
    ]


@pytest.mark.parametrize(
    ("regex", "matching"),
    [
        ("ready", "is ready now"),
        (r"port \d+$", "port 80"),
        ("(?i)HELLO[a-z]*", "hellooo"),
        (r"(?P<name>a)d?", "ad"),
        (r"\d+", "12"),
        ("a|b", "b"),
        ("x*", "anything"),
        (r"listening on tcp/80{1,2}", "listening on tcp/80"),
    ],
)
def test_an_altered_regular_expression_matches_no_longer(
    unnamed: Unnamed, regex: str, matching: str
) -> None:
    (other,) = altered_pattern(regex, unnamed)
    assert re.search(regex, matching)
    assert not re.search(other, matching)
