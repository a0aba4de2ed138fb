"""Packet sockets, at real interfaces."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import time

import pytest

from lab.kernel.namespaces import Namespace, hold, inside_net, setns, unshare
from lab.kernel.packet_socket import Frame, PacketSocket, Stamps, Way
from tests.kernel.own_network import join, own_network, run

DEADLINE = 30.0  # seconds: far more than anything here takes, even on a busy machine
UDP_TO_PORT_9 = b"\x00\x09"


def send_udp(payload: bytes = b"x", address: str = "127.0.0.1") -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(payload, (address, 9))


def datagrams(frames: list[Frame]) -> list[Frame]:
    """The IPv4 UDP datagrams to port 9 among the frames."""
    return [
        frame
        for frame in frames
        if frame.octets[12:14] == b"\x08\x00"
        and frame.octets[23] == socket.IPPROTO_UDP
        and frame.octets[36:38] == UDP_TO_PORT_9
    ]


def heard(tap: PacketSocket, count: int) -> list[Frame]:
    """The datagrams that come, once there are that many: a busy kernel delivers them later."""
    frames: list[Frame] = []
    while len(frames) < count:
        assert select.select([tap], [], [], DEADLINE)[0], f"{len(frames)} instead of {count}"
        frames += datagrams(tap.drain())
    return frames


def veth(one: str, other: str) -> None:
    run(f"ip link add {one} type veth peer name {other}")
    run(f"ip link set {one} up")
    run(f"ip link set {other} up")


@own_network
def test_a_frame_is_stamped_when_it_passes_and_not_when_it_is_read() -> None:
    with Stamps() as stamps, contextlib.closing(PacketSocket("lo", stamps)) as tap:
        before = time.time_ns()
        send_udp()
        after = time.time_ns()
        (frame,) = heard(tap, 1)
        assert before <= frame.time <= after


@own_network
def test_loopback_shows_each_frame_once() -> None:
    with Stamps() as stamps, contextlib.closing(PacketSocket("lo", stamps)) as tap:
        for _ in range(3):
            send_udp()
        assert [frame.way for frame in heard(tap, 3)] == [Way.OUT] * 3


@own_network
def test_a_frame_leaves_one_end_of_a_cable_before_it_arrives_at_the_other() -> None:
    veth("left0", "right0")
    run("ip addr add 192.0.2.1/24 dev left0")
    run("ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev left0 nud permanent")
    with Stamps() as stamps:
        taps = [PacketSocket(name, stamps) for name in ("left0", "right0")]
        for number in range(50):
            send_udp(bytes([number]), "192.0.2.2")
        left, right = (heard(tap, 50) for tap in taps)
    assert [frame.way for frame in left] == [Way.OUT] * 50
    assert [frame.way for frame in right] == [Way.IN] * 50
    assert all(sent.time <= arrived.time for sent, arrived in zip(left, right, strict=True))
    assert [frame.octets for frame in left] == [frame.octets for frame in right]


@own_network
def test_a_packet_meets_the_hosts_on_its_path_in_the_order_of_its_stamps() -> None:
    router = hold(Namespace.NET)
    run("sysctl -qw net.ipv4.ip_forward=1")
    unshare(Namespace.NET)
    client = hold(Namespace.NET)
    join(router, "wan0 192.0.2.1/24", client, "eth0 192.0.2.2/24")
    run("ip route add default via 192.0.2.1")
    unshare(Namespace.NET)
    server = hold(Namespace.NET)
    join(router, "lan0 198.51.100.1/24", server, "eth0 198.51.100.2/24")
    setns(router, Namespace.NET)
    path = [(client, "eth0"), (router, "wan0"), (router, "lan0"), (server, "eth0")]
    with Stamps() as stamps:
        taps = []
        for host, interface in path:
            with inside_net(host, router):
                taps.append(PacketSocket(interface, stamps))
        with inside_net(client, router):
            for number in range(20):
                send_udp(bytes([number]), "198.51.100.2")
        seen = [
            (frame.octets[42], frame.time, place, frame.way)
            for place, tap in enumerate(taps)
            for frame in heard(tap, 20)
        ]
    ways = [Way.OUT, Way.IN, Way.OUT, Way.IN]
    assert [(number, place, way) for number, _, place, way in sorted(seen)] == [
        (number, place, way) for number in range(20) for place, way in enumerate(ways)
    ]


@own_network
def test_a_frame_for_another_mac_address_is_seen_too() -> None:
    veth("left0", "right0")
    to_other = bytes.fromhex("020000000099 020000000001 0800")
    ip_header = bytes.fromhex("4500001d00000000 40110000 c0000201 c0000202")
    ethernet = to_other + ip_header + bytes.fromhex("04d2 0009 0009 0000 78")
    with (
        Stamps() as stamps,
        contextlib.closing(PacketSocket("right0", stamps)) as tap,
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender,
    ):
        sender.bind(("left0", 0))
        sender.send(ethernet)
        assert [frame.octets for frame in heard(tap, 1)] == [ethernet]


@own_network
def test_a_long_frame_keeps_its_length_and_loses_its_end() -> None:
    with Stamps() as stamps, contextlib.closing(PacketSocket("lo", stamps, snap_bytes=64)) as tap:
        send_udp(b"y" * 1000)
        (frame,) = heard(tap, 1)
        assert len(frame.octets) == 64
        assert frame.length == 14 + 20 + 8 + 1000


@own_network
def test_frames_that_found_no_room_are_counted() -> None:
    with Stamps() as stamps, contextlib.closing(PacketSocket("lo", stamps)) as tap:
        sent = 0
        while not tap.lost():
            for _ in range(1000):
                send_udp()
            sent += 1000
        kept = len(datagrams(tap.drain()))
        assert kept < sent <= kept + tap.lost()


@own_network
def test_an_interface_that_goes_down_ends_nothing() -> None:
    veth("left0", "right0")
    run("ip addr add 192.0.2.1/24 dev left0")
    run("ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev left0 nud permanent")
    with Stamps() as stamps, contextlib.closing(PacketSocket("right0", stamps)) as tap:
        send_udp(b"before", "192.0.2.2")
        assert heard(tap, 1)
        run("ip link set right0 down; ip link set right0 up")
        send_udp(b"after", "192.0.2.2")
        assert heard(tap, 1)


@own_network
def test_an_interface_that_is_not_there_is_an_error() -> None:
    with Stamps() as stamps, pytest.raises(OSError, match="No such device") as refused:
        PacketSocket("nowhere0", stamps)
    assert refused.value.errno == errno.ENODEV


@own_network
def test_stamps_need_loopback_up() -> None:
    run("ip link set lo down")
    with pytest.raises(OSError, match="Network is down") as refused:
        Stamps()
    assert refused.value.errno == errno.ENETDOWN
