"""Packets, decoded from the octets that a packet socket hands over."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel.packet_socket import Frame, PacketSocket, Stamps, Way
from lab.model.address import SocketAddress, Tuple
from lab.observe.packets import Headers, Icmp, SeenPacket, dissect, see
from tests.kernel.own_network import own_network, run

DEADLINE = 30.0  # seconds: far more than anything here takes, even on a busy machine
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
CLIENT, SERVER = "10.10.10.10", "192.168.1.1"
CLIENT6, SERVER6 = "fd00::10", "fd00::1"


def ipv4(
    proto: int, payload: bytes, *, ttl: int = 63, fragment: int = 0, options: int = 0
) -> bytes:
    header_length = 20 + 4 * options
    return (
        struct.pack(
            "!BBHHHBBH",
            0x40 | header_length // 4,
            0,
            header_length + len(payload),
            0,
            fragment // 8,
            ttl,
            proto,
            0,
        )
        + ip_address(CLIENT).packed
        + ip_address(SERVER).packed
        + bytes(4 * options)
        + payload
    )


def ipv6(proto: int, payload: bytes, *, ttl: int = 63) -> bytes:
    head = struct.pack("!IHBB", 6 << 28, len(payload), proto, ttl)
    return head + ip_address(CLIENT6).packed + ip_address(SERVER6).packed + payload


def tcp(flags: int = 0x02, sport: int = 50176, dport: int = 80) -> bytes:
    return struct.pack("!HHIIBBHHH", sport, dport, 1000, 2000, 5 << 4, flags, 0, 0, 0)


def udp(sport: int = 50176, dport: int = 53) -> bytes:
    return struct.pack("!HHHH", sport, dport, 8, 0)


def ethernet(ethertype: int, payload: bytes, *tags: int) -> bytes:
    macs = bytes.fromhex("020000000001 020000000002")
    head = b"".join(struct.pack("!HH", tag, 7) for tag in tags)
    return macs + head + struct.pack("!H", ethertype) + payload


def frame(octets: bytes, *, is_ethernet: bool = True) -> Frame:
    return Frame(time=5, way=Way.IN, ethernet=is_ethernet, octets=octets, length=len(octets))


def tuple_of(source: str, sport: int | None, dest: str, dport: int | None) -> Tuple:
    return Tuple(SocketAddress(ip_address(source), sport), SocketAddress(ip_address(dest), dport))


def headers(octets: bytes) -> Headers:
    found = dissect(octets)
    assert found is not None
    return found


def test_a_syn() -> None:
    assert headers(ipv4(TCP, tcp())) == Headers(
        proto="tcp",
        tuple=tuple_of(CLIENT, 50176, SERVER, 80),
        ttl=63,
        flags="S",
        seq=1000,
        ack=2000,
    )
    assert str(headers(ipv4(TCP, tcp()))) == "tcp 10.10.10.10:50176 > 192.168.1.1:80 S ttl 63"


@pytest.mark.parametrize(
    ("octet", "letters"),
    [(0x12, "SA"), (0x14, "RA"), (0x11, "FA"), (0x18, "PA"), (0xC2, "SEW"), (0x29, "FPU"), (0, "")],
)
def test_flags_are_letters(octet: int, letters: str) -> None:
    assert headers(ipv4(TCP, tcp(octet))).flags == letters


def test_ipv4_options_are_skipped() -> None:
    assert headers(ipv4(TCP, tcp(), options=10)).flags == "S"


def test_udp_over_ipv6() -> None:
    found = headers(ipv6(UDP, udp()))
    assert found == Headers("udp", tuple_of(CLIENT6, 50176, SERVER6, 53), 63)
    assert str(found) == "udp [fd00::10]:50176 > [fd00::1]:53 ttl 63"


def test_ipv6_extension_headers_are_skipped() -> None:
    hop_by_hop = bytes([60, 0]) + bytes(6)
    destination = bytes([51, 1]) + bytes(14)
    authentication = bytes([44, 4]) + bytes(22)
    first_fragment = bytes([TCP, 0, 0, 1]) + bytes(4)
    packet = ipv6(0, hop_by_hop + destination + authentication + first_fragment + tcp())
    assert headers(packet).tuple == tuple_of(CLIENT6, 50176, SERVER6, 80)


def test_a_fragment_behind_the_first_has_no_ports() -> None:
    found = headers(ipv4(UDP, udp(), fragment=1480))
    assert found == Headers("udp", tuple_of(CLIENT, None, SERVER, None), 63, fragment=1480)
    found6 = headers(ipv6(44, struct.pack("!BBHI", UDP, 0, 1480, 0) + udp()))
    assert (found6.proto, found6.fragment, found6.tuple.source.port) == ("udp", 1480, None)


def test_an_echo_request() -> None:
    found = headers(ipv4(ICMP, struct.pack("!BBHHH", 8, 0, 0, 77, 1)))
    assert found.icmp == Icmp(8, 0, id=77, seq=1)
    assert found.tuple == tuple_of(CLIENT, None, SERVER, None)
    assert str(found) == "icmp 10.10.10.10 > 192.168.1.1 echo request id 77 seq 1 ttl 63"


def test_an_icmpv6_echo_reply() -> None:
    found = headers(ipv6(ICMPV6, struct.pack("!BBHHH", 129, 0, 0, 77, 1)))
    assert str(found) == "icmpv6 fd00::10 > fd00::1 echo reply id 77 seq 1 ttl 63"


def test_an_icmp_error_quotes_the_tuple_that_it_is_about() -> None:
    found = headers(ipv4(ICMP, bytes([3, 13]) + bytes(6) + ipv4(TCP, tcp())[:28]))
    assert found.icmp == Icmp(3, 13, quoted=tuple_of(CLIENT, 50176, SERVER, 80))
    assert str(found) == (
        "icmp 10.10.10.10 > 192.168.1.1 "
        "admin-prohibited about 10.10.10.10:50176 > 192.168.1.1:80 ttl 63"
    )


def test_icmp_errors_that_quote_each_other_end() -> None:
    error = bytes([3, 1]) + bytes(6)
    nested = b"".join(ipv4(ICMP, error) for _ in range(2000))
    found = headers(ipv4(ICMP, error + nested))
    assert found.icmp == Icmp(3, 1, quoted=tuple_of(CLIENT, None, SERVER, None))


def test_an_unknown_protocol_goes_by_its_number() -> None:
    assert headers(ipv4(89, b"")) == Headers("89", tuple_of(CLIENT, None, SERVER, None), 63)


@pytest.mark.parametrize(("kept", "ports"), [(20, None), (23, None), (24, 50176), (39, 50176)])
def test_a_packet_that_was_cut_short_says_so(kept: int, ports: int | None) -> None:
    found = headers(ipv4(TCP, tcp())[:kept])
    assert not found.whole
    assert found.tuple.source.port == ports
    assert str(found).endswith("cut short")


def test_padding_behind_the_packet_is_not_part_of_it() -> None:
    found = headers(ipv4(UDP, b"") + bytes(26))
    assert found.tuple.source.port is None


@pytest.mark.parametrize("tags", [(), (0x8100,), (0x88A8, 0x8100)])
def test_ethernet_and_vlan_tags_are_skipped(tags: tuple[int, ...]) -> None:
    octets = ethernet(0x0800, ipv4(TCP, tcp()), *tags)
    assert see(frame(octets), "router", "ppp0") == SeenPacket(
        time=5,
        node="router",
        interface="ppp0",
        way=Way.IN,
        headers=headers(ipv4(TCP, tcp())),
        length=len(octets),
        macs=("02:00:00:00:00:02", "02:00:00:00:00:01"),
    )


def test_a_link_without_ethernet_has_no_macs() -> None:
    seen = see(frame(ipv4(TCP, tcp()), is_ethernet=False), "router", "ppp0")
    assert seen is not None
    assert seen.macs is None
    assert str(seen) == "router:ppp0 in tcp 10.10.10.10:50176 > 192.168.1.1:80 S ttl 63"


def test_arp_is_no_packet() -> None:
    assert see(frame(ethernet(0x0806, bytes(28))), "router", "ppp0") is None


@given(st.binary(), st.booleans())
def test_any_octets_are_a_packet_or_nothing(octets: bytes, is_ethernet: bool) -> None:
    seen = see(frame(octets, is_ethernet=is_ethernet), "router", "ppp0")
    assert seen is None or str(seen).startswith("router:ppp0 in ")


VALID = st.sampled_from(
    [
        ipv4(TCP, tcp()),
        ipv4(ICMP, bytes([3, 1]) + bytes(6) + ipv4(UDP, udp())),
        ipv6(0, bytes([60, 0]) + bytes(6) + bytes([TCP, 0]) + bytes(6) + tcp()),
        ipv6(ICMPV6, bytes([1, 1]) + bytes(6) + ipv6(UDP, udp())),
    ]
)


@given(VALID, st.integers(0, 120), st.binary(max_size=3), st.integers(0, 120))
def test_a_damaged_packet_is_a_packet_or_nothing(
    octets: bytes, at: int, damage: bytes, end: int
) -> None:
    damaged = (octets[:at] + damage + octets[at + len(damage) :])[:end]
    found = dissect(damaged)
    assert found is None or str(found)


@given(st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 255), st.integers(0, 255))
def test_what_is_sent_is_seen(sport: int, dport: int, flags: int, ttl: int) -> None:
    found = headers(ipv4(TCP, tcp(flags, sport, dport), ttl=ttl))
    assert found.tuple == tuple_of(CLIENT, sport, SERVER, dport)
    assert found.ttl == ttl
    assert len(found.flags) == flags.bit_count()


def passing(tap: PacketSocket, count: int) -> list[SeenPacket]:
    """The TCP, UDP and ICMP packets that pass, once there are that many."""
    packets: list[SeenPacket] = []
    while len(packets) < count:
        assert select.select([tap], [], [], DEADLINE)[0], f"{len(packets)} instead of {count}"
        packets += [seen for it in tap.drain() if (seen := see(it, "host", "lo")) is not None]
    return packets


@own_network
@pytest.mark.parametrize(("address", "host"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_a_real_connection_that_is_refused(address: str, host: str) -> None:
    with Stamps() as stamps, contextlib.closing(PacketSocket("lo", stamps)) as tap:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, 80), DEADLINE, source_address=(address, 5000))
        syn, reset = passing(tap, 2)
    assert str(syn.headers) == f"tcp {host}:5000 > {host}:80 S ttl 64"
    assert str(reset.headers) == f"tcp {host}:80 > {host}:5000 RA ttl 64"
    assert syn.headers.seq is not None
    assert reset.headers.ack == syn.headers.seq + 1


@own_network
def test_a_real_icmp_error() -> None:
    run("iptables -A INPUT -p udp -j REJECT --reject-with icmp-host-prohibited")
    with (
        Stamps() as stamps,
        contextlib.closing(PacketSocket("lo", stamps)) as tap,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        sender.bind(("127.0.0.1", 5000))
        sender.sendto(b"x", ("127.0.0.1", 53))
        _, error = passing(tap, 2)
    assert str(error.headers) == (
        "icmp 127.0.0.1 > 127.0.0.1 host-prohibited about 127.0.0.1:5000 > 127.0.0.1:53 ttl 64"
    )
