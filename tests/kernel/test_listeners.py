"""Listening sockets, in a real network namespace."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from lab.kernel.listeners import Listener, listeners, table
from lab.model.address import SocketAddress
from tests.kernel.own_network import own_network, run


def listener(proto: str, ip: str, port: int) -> Listener:
    return Listener(proto, SocketAddress(ip_address(ip), port))


@own_network
def test_an_empty_network_has_none() -> None:
    assert listeners() == ()


@own_network
def test_listening_and_bound_sockets_of_both_families_are_found() -> None:
    run("ip -6 addr add fd00::80 dev lo nodad")
    with (
        socket.create_server(("127.0.0.1", 80)),
        socket.create_server(("0.0.0.0", 81)),
        socket.create_server(("::", 82), family=socket.AF_INET6),
        socket.create_server(("fd00::80", 83), family=socket.AF_INET6),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp6,
    ):
        udp.bind(("127.0.0.1", 53))
        udp6.bind(("fd00::80", 54))
        found = listeners()
    assert set(found) == {
        listener("tcp", "127.0.0.1", 80),
        listener("tcp", "0.0.0.0", 81),
        listener("tcp", "::", 82),
        listener("tcp", "fd00::80", 83),
        listener("udp", "127.0.0.1", 53),
        listener("udp", "fd00::80", 54),
    }


@own_network
def test_connections_are_not_listeners() -> None:
    with (
        socket.create_server(("127.0.0.1", 80)) as server,
        socket.create_connection(server.getsockname()),
        server.accept()[0],
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        udp.connect(("127.0.0.1", 53))
        assert listeners() == (listener("tcp", "127.0.0.1", 80),)


def test_a_listener_reads_as_a_scenario_writes_it() -> None:
    assert str(listener("tcp", "0.0.0.0", 80)) == "tcp 0.0.0.0:80"
    assert str(listener("udp", "fd00::1", 53)) == "udp [fd00::1]:53"


def test_a_table_without_rows_is_empty() -> None:
    assert table("tcp", "  sl  local_address rem_address   st\n") == ()
