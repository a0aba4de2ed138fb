"""Connection tracking entries, as the kernel and conntrack(8) write them."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.address import IPAddress, SocketAddress, Tuple
from lab.model.expectation import ConntrackEntry
from lab.observe.conntrack import (
    Direction,
    Entry,
    IcmpKey,
    Traffic,
    entries,
    matching,
    unfit,
)
from lab.observe.unreadable import Unreadable
from tests.kernel.own_network import own_network, run
from tests.observe.reading import HERE, tuple_of, tuple_pattern

PORT_FORWARD = (
    "ipv4     2 tcp      6 119 TIME_WAIT src=10.10.10.10 dst=22.22.22.22 sport=50176 dport=81 "
    "src=192.168.1.2 dst=10.10.10.10 sport=80 dport=50176 [ASSURED] mark=0 zone=0 use=2"
)
UNANSWERED = (
    "ipv4     2 tcp      6 115 SYN_SENT src=192.168.1.185 dst=192.168.1.34 sport=61777 dport=81 "
    "[UNREPLIED] src=192.168.1.32 dst=192.168.1.185 sport=80 dport=61777 mark=0 zone=0 use=2"
)
PING = (
    "ipv4     2 icmp     1 29 src=192.168.2.2 dst=10.10.10.10 type=8 code=0 id=13376 "
    "src=10.10.10.10 dst=22.22.22.22 type=0 code=0 id=13376 mark=0 zone=0 use=2"
)


def expect(**fields: object) -> ConntrackEntry:
    return ConntrackEntry(location=HERE, on="router", **fields)  # type: ignore[arg-type]


def test_a_forwarded_connection() -> None:
    (entry,) = entries(PORT_FORWARD)
    assert entry == Entry(
        family="ipv4",
        proto="tcp",
        number=6,
        timeout=119,
        state="TIME_WAIT",
        directions=(
            Direction(tuple_of("10.10.10.10:50176 > 22.22.22.22:81")),
            Direction(tuple_of("192.168.1.2:80 > 10.10.10.10:50176")),
        ),
        status=frozenset({"ASSURED"}),
        mark=0,
        zone=0,
        text=PORT_FORWARD,
    )
    assert str(entry) == (
        "tcp TIME_WAIT 10.10.10.10:50176 > 22.22.22.22:81"
        ", reply 192.168.1.2:80 > 10.10.10.10:50176 [ASSURED]"
    )


def test_an_unanswered_connection() -> None:
    (entry,) = entries(UNANSWERED)
    assert entry.status == {"UNREPLIED"}
    assert str(entry.reply) == "192.168.1.32:80 > 192.168.1.185:61777"


def test_icmp_has_an_identifier_and_no_ports() -> None:
    (entry,) = entries(PING)
    assert entry.original == tuple_of("192.168.2.2 > 10.10.10.10")
    assert entry.directions[0].icmp == IcmpKey(8, 0, 13376)
    assert entry.directions[1].icmp == IcmpKey(0, 0, 13376)
    assert entry.state is None


@pytest.mark.parametrize(
    ("line", "proto", "number", "state", "status"),
    [
        (
            "udp      17 29 src=1.1.1.1 dst=2.2.2.2 sport=5 dport=53 zone-orig=7 packets=2 "
            "bytes=60 src=2.2.2.2 dst=1.1.1.1 sport=53 dport=5 packets=2 bytes=58 mark=5 "
            "delta-time=0 use=1",
            "udp",
            17,
            None,
            set(),
        ),
        (
            "ipv4     2 gre      47 29 timeout=30, stream_timeout=180 src=1.1.1.1 dst=2.2.2.2 "
            "srckey=0x0 dstkey=0x0 [UNREPLIED] src=2.2.2.2 dst=1.1.1.1 srckey=0x0 dstkey=0x0 "
            "mark=0 zone=0 use=2",
            "gre",
            47,
            None,
            {"UNREPLIED"},
        ),
        (
            "unknown  89 599 src=1.1.1.1 dst=2.2.2.2 [UNREPLIED] src=2.2.2.2 dst=1.1.1.1 mark=0 "
            "use=1 id=2587507790",
            "unknown",
            89,
            None,
            {"UNREPLIED"},
        ),
        (
            "sctp     132 10 CLOSED src=1.1.1.1 dst=2.2.2.2 sport=1234 dport=80 [UNREPLIED] "
            "src=2.2.2.2 dst=1.1.1.1 sport=80 dport=1234 mark=0 secctx=null use=2",
            "sctp",
            132,
            "CLOSED",
            {"UNREPLIED"},
        ),
        (
            "ipv4     2 tcp      6 src=1.1.1.1 dst=2.2.2.2 sport=5 dport=80 src=2.2.2.2 "
            "dst=1.1.1.1 sport=80 dport=5 [OFFLOAD] mark=0 zone=0 use=3",
            "tcp",
            6,
            None,
            {"OFFLOAD"},
        ),
        (
            "tcp      6 431999 ESTABLISHED src=1.1.1.1 dst=2.2.2.2 sport=5 dport=21 src=2.2.2.2 "
            "dst=1.1.1.1 sport=21 dport=5 [ASSURED] mark=0 helper=ftp delta-time=3 "
            "[start=Sat Nov 21 07:27:44 2026] use=1",
            "tcp",
            6,
            "ESTABLISHED",
            {"ASSURED"},
        ),
    ],
)
def test_other_forms_of_the_line(
    line: str, proto: str, number: int, state: str | None, status: set[str]
) -> None:
    (entry,) = entries(line)
    assert (entry.proto, entry.number, entry.state) == (proto, number, state)
    assert set(entry.status) == status
    assert entry.family == "ipv4"


def test_an_offloaded_connection_does_not_expire() -> None:
    (entry,) = entries(PORT_FORWARD.replace("119 TIME_WAIT ", "").replace("ASSURED", "OFFLOAD"))
    assert entry.timeout is None


def test_blank_lines_are_no_entries() -> None:
    assert len(entries(f"\n{PORT_FORWARD}\n\n{PING}\n")) == 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("conntrack v1.4.7 (conntrack-tools): 8 flow entries", "no protocol number"),
        ("tcp 6 119 TIME_WAIT", "no src="),
        (PORT_FORWARD.replace("dst=22.22.22.22", "dst=22.22.22.222.2"), "dst is no address"),
        (PORT_FORWARD.replace("sport=50176 ", "sport=x ", 1), "sport is no number"),
        (PORT_FORWARD.replace("dport=81 ", "", 1), "no dport="),
        (PORT_FORWARD.replace("src=192.168.1.2 ", "src=::1 "), "two address families"),
        (PORT_FORWARD.replace("[ASSURED]", "ASSURED"), "'ASSURED' is not expected here"),
        (PING.replace("id=13376 ", "", 1), "no id="),
    ],
)
def test_a_line_that_is_no_entry_is_told(line: str, why: str) -> None:
    with pytest.raises(Unreadable) as unreadable:
        entries(f"{PORT_FORWARD}\n{line}\n")
    assert unreadable.value.why == why
    assert str(unreadable.value) == f"conntrack entry, line 2: {why}: {line!r}"


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Unreadable):
        entries(text)


@given(st.sampled_from([PORT_FORWARD, UNANSWERED, PING]), st.data())
def test_a_damaged_line_is_read_or_refused(line: str, data: st.DataObject) -> None:
    words = line.split()
    damaged = data.draw(st.lists(st.sampled_from([*words, "x", "[", "src=", "sport=-1"])))
    with contextlib.suppress(Unreadable):
        entries(" ".join(damaged))


ADDRESSES: dict[str, st.SearchStrategy[IPAddress]] = {
    "ipv4": st.integers(0, 2**32 - 1).map(IPv4Address),
    "ipv6": st.integers(0, 2**128 - 1).map(IPv6Address),
}
PORTS = st.integers(0, 65535)
COUNTS = st.integers(0, 2**64 - 1)
ICMP_KEYS = st.builds(IcmpKey, st.integers(0, 255), st.integers(0, 255), PORTS)


@st.composite
def directions(draw: st.DrawFn, family: str, proto: str) -> Direction:
    address = ADDRESSES[family]
    ports = PORTS if proto in ("tcp", "udp") else st.none()
    return Direction(
        tuple=Tuple(
            SocketAddress(draw(address), port := draw(ports)),
            SocketAddress(draw(address), port),
        ),
        icmp=draw(ICMP_KEYS) if proto.startswith("icmp") else None,
        traffic=draw(st.none() | st.builds(Traffic, COUNTS, COUNTS)),
        zone=draw(st.none() | PORTS),
    )


@st.composite
def tracked(draw: st.DrawFn) -> Entry:
    family = draw(st.sampled_from(["ipv4", "ipv6"]))
    icmp = ("icmp", 1) if family == "ipv4" else ("icmpv6", 58)
    kinds = st.sampled_from([("tcp", 6), ("udp", 17), ("unknown", 89), icmp])
    proto, number = draw(kinds)
    states = st.sampled_from(["SYN_SENT2", "CLOSE", "TIME_WAIT"])
    return Entry(
        family=family,
        proto=proto,
        number=number,
        timeout=draw(st.none() | st.integers(0, 2**31)),
        state=draw(states) if proto == "tcp" else None,
        directions=(draw(directions(family, proto)), draw(directions(family, proto))),
        status=draw(st.frozensets(st.sampled_from(["UNREPLIED", "ASSURED"]))),
        mark=draw(st.none() | st.integers(0, 2**32 - 1)),
        zone=draw(st.none() | PORTS),
    )


def written(entry: Entry) -> str:
    """Writes an entry in the order of the kernel's ct_seq_show."""
    original, reply = (
        written_direction(direction, zone)
        for direction, zone in zip(entry.directions, ("zone-orig", "zone-reply"), strict=True)
    )
    number = "2" if entry.family == "ipv4" else "10"
    words: list[str | None] = [entry.family, number, entry.proto, str(entry.number)]
    words += [None if entry.timeout is None else str(entry.timeout), entry.state, *original]
    words += ["[UNREPLIED]"] if "UNREPLIED" in entry.status else []
    words += [*reply, "[ASSURED]" if "ASSURED" in entry.status else None]
    words += [None if entry.mark is None else f"mark={entry.mark}"]
    words += [None if entry.zone is None else f"zone={entry.zone}", "use=2"]
    return " ".join(word for word in words if word)


def written_direction(direction: Direction, zone: str) -> list[str | None]:
    source, dest = direction.tuple.source, direction.tuple.dest
    words: list[str | None] = [f"src={source.ip.exploded}", f"dst={dest.ip.exploded}"]
    if source.port is not None:
        words += [f"sport={source.port}", f"dport={dest.port}"]
    if icmp := direction.icmp:
        words += [f"type={icmp.type}", f"code={icmp.code}", f"id={icmp.id}"]
    words += [None if direction.zone is None else f"{zone}={direction.zone}"]
    if traffic := direction.traffic:
        words += [f"packets={traffic.packets}", f"bytes={traffic.bytes}"]
    return words


@given(tracked())
def test_what_the_kernel_writes_is_read_back(entry: Entry) -> None:
    text = written(entry)
    assert entries(text) == (replace(entry, text=text),)


def test_an_entry_matches_a_pattern_that_leaves_ports_open() -> None:
    table = entries(f"{PORT_FORWARD}\n{UNANSWERED}\n{PING}")
    reply = tuple_pattern("192.168.1.2:80 > 10.10.10.10")
    wanted = expect(proto="tcp", reply=reply, status=("ASSURED",))
    assert matching(table, wanted) == (table[0],)


def test_icmp_stands_for_icmpv6() -> None:
    (ping6,) = entries(
        "icmpv6   58 29 src=::1 dst=::1 type=128 code=0 id=1 src=::1 dst=::1 type=129 code=0 id=1"
    )
    assert matching([ping6], expect(proto="icmp")) == (ping6,)
    (ping,) = entries(PING)
    assert matching([ping], expect(proto="icmpv6")) == ()


@pytest.mark.parametrize("proto", ["unknown", "89"])
def test_an_unnamed_protocol_goes_by_its_number(proto: str) -> None:
    (ospf,) = entries("unknown  89 599 src=1.1.1.1 dst=2.2.2.2 src=2.2.2.2 dst=1.1.1.1 mark=0")
    assert matching([ospf], expect(proto=proto)) == (ospf,)


def test_each_field_that_does_not_fit_is_named() -> None:
    (entry,) = entries(PORT_FORWARD)
    wrong = tuple_pattern("1.1.1.1 > 2.2.2.2")
    pattern = expect(
        proto="udp", original=wrong, reply=wrong, state="ESTABLISHED", status=("UNREPLIED",)
    )
    assert unfit(entry, pattern) == ("proto", "original", "reply", "state", "status")
    assert unfit(entry, expect()) == ()


TRAFFIC = """
sysctl -qw net.netfilter.nf_conntrack_acct=1
iptables -A INPUT -m conntrack --ctstate NEW
ip6tables -A INPUT -m conntrack --ctstate NEW
iptables -t raw -A PREROUTING -p udp -j CT --zone-orig 7
iptables -t raw -A OUTPUT -p udp -j CT --zone-orig 7
ping -c1 127.0.0.1
ping -c1 ::1
"""


@own_network
def test_the_kernel_and_conntrack_tell_the_same() -> None:
    if not Path("/proc/net/nf_conntrack").exists():
        pytest.skip("the kernel does not show /proc/net/nf_conntrack")
    run(TRAFFIC)
    with (
        socket.create_server(("127.0.0.1", 80)),
        socket.create_connection(("127.0.0.1", 80)),
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp6,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, 89) as ospf,
    ):
        udp6.sendto(b"x", ("::1", 53))
        udp.sendto(b"x", ("127.0.0.1", 53))
        ospf.sendto(b"x", ("127.0.0.1", 0))
        kernel = comparable(Path("/proc/thread-self/net/nf_conntrack").read_text())
        tool = comparable(
            "".join(
                subprocess.run(
                    ["conntrack", "-L", "-f", family], capture_output=True, text=True, check=True
                ).stdout
                for family in ("ipv4", "ipv6")
            )
        )
    assert kernel == tool
    assert {entry.proto for entry in kernel} == {"tcp", "udp", "icmp", "icmpv6", "unknown"}
    assert all(entry.directions[0].traffic for entry in kernel)


def comparable(text: str) -> set[Entry]:
    """Leaves out what differs by time and by who writes."""
    return {replace(entry, timeout=0, zone=None, text="") for entry in entries(text)}
