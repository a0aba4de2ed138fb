"""Netlink batches, sent to a real kernel."""

from __future__ import annotations

import errno
import socket
import struct
from ipaddress import ip_address, ip_interface, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel.namespaces import Namespace, hold, inside_net, unshare
from lab.kernel.netlink import Refusal, attribute, message, route_socket, send_batch
from lab.kernel.rtnetlink import add_address, add_bridge, add_route, set_up
from tests.kernel.own_network import own_network, run

MAC = "02:00:00:00:00:01"


@own_network
def test_a_batch_that_succeeds_is_not_answered() -> None:
    with route_socket() as channel:
        batch = [
            add_bridge(7, "br0", MAC),
            add_address(7, ip_interface("10.0.0.1/24")),
            add_route(ip_network("10.9.0.0/16"), ip_address("10.0.0.2")),
        ]
        assert send_batch(channel, batch) == []
    assert "10.9.0.0/16 via 10.0.0.2 dev br0" in run("ip route")


@own_network
def test_a_refused_message_does_not_stop_those_behind_it() -> None:
    with route_socket() as channel:
        batch = [
            add_bridge(7, "br0", MAC),
            add_address(99, ip_interface("10.0.0.1/24")),
            add_address(7, ip_interface("10.0.0.1/24")),
            add_address(7, ip_interface("10.0.0.1/24")),
            add_route(ip_network("10.8.0.0/16"), ip_address("192.168.9.9")),
            add_route(ip_network("10.9.0.0/16"), ip_address("10.0.0.2")),
        ]
        assert send_batch(channel, batch) == [
            Refusal(1, errno.ENODEV),
            Refusal(3, errno.EEXIST),
            Refusal(4, errno.ENETUNREACH),
        ]
    assert "10.9.0.0/16 via 10.0.0.2 dev br0" in run("ip route")


@own_network
@pytest.mark.parametrize("every", [1, 3, 1000])
def test_of_a_long_batch_every_refusal_is_told(every: int) -> None:
    with route_socket() as channel:
        batch = [set_up(1) if number % every else set_up(99) for number in range(5000)]
        refused = [refusal.position for refusal in send_batch(channel, batch)]
    assert refused == [*range(0, 5000, every)]


@own_network
def test_a_batch_may_be_longer_than_any_buffer() -> None:
    with route_socket() as channel:
        assert send_batch(channel, [set_up(1)] * 50_000) == []


@own_network
def test_a_socket_serves_one_batch_after_the_other() -> None:
    with route_socket() as channel:
        assert send_batch(channel, [set_up(99)]) == [Refusal(0, errno.ENODEV)]
        assert send_batch(channel, [set_up(1)]) == []
        assert send_batch(channel, [set_up(1), set_up(99)]) == [Refusal(1, errno.ENODEV)]


@own_network
def test_a_socket_stays_in_the_network_it_was_opened_in() -> None:
    home = hold(Namespace.NET)
    unshare(Namespace.NET)
    other = hold(Namespace.NET)
    with inside_net(home, other):
        channel = route_socket()
    with channel:
        assert send_batch(channel, [add_bridge(7, "br0", MAC)]) == []
    assert "br0" not in run("ip -o link")
    with inside_net(home, other):
        assert "br0" in run("ip -o link")


def test_a_refusal_reads_as_errno_says() -> None:
    assert str(Refusal(0, errno.EEXIST)) == "File exists"


@given(st.integers(0, 0xFFFF), st.binary(max_size=100))
def test_an_attribute_is_padded_to_four_bytes_that_its_length_does_not_count(
    kind: int, payload: bytes
) -> None:
    encoded = attribute(kind, payload)
    assert len(encoded) % 4 == 0
    assert struct.unpack_from("=HH", encoded) == (4 + len(payload), kind)
    assert encoded[4 : 4 + len(payload)] == payload
    assert not encoded[4 + len(payload) :].strip(b"\0")


def test_a_message_is_a_request_with_its_length() -> None:
    encoded = message(16, 0x600, b"12345678")
    assert struct.unpack_from("=IHHII", encoded) == (24, 16, 0x601, 0, 0)
    assert encoded[16:] == b"12345678"


def test_a_route_socket_is_not_inherited() -> None:
    with route_socket() as channel:
        assert not channel.get_inheritable()
        assert channel.family == socket.AF_NETLINK
