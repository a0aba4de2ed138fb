"""What the server tells a TCP client."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.origdst.conftest import Launcher, Namespace

BOTH_FAMILIES = pytest.mark.parametrize("address", ["127.0.0.1", "::1"])


@BOTH_FAMILIES
def test_a_client_is_told_its_addresses_and_the_connection_closed(
    namespace: Namespace, serve: Launcher, untracked: str, address: str
) -> None:
    serve("80")

    with namespace.connect(address, 80) as client:
        assert client.read_all() == client.answer(untracked, dest=(address, 80))


@BOTH_FAMILIES
def test_every_port_given_in_any_way_is_served(
    namespace: Namespace, serve: Launcher, untracked: str, address: str
) -> None:
    serve("80", "--tcp", "81", "82", "--tcp=83")

    for port in (80, 81, 82, 83):
        with namespace.connect(address, port) as client:
            assert client.read_all() == client.answer(untracked)


def test_dest_is_the_address_that_the_client_chose(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    serve("80")

    with namespace.connect("127.1.2.3", 80) as client:
        assert client.read_all() == client.answer(untracked, dest=("127.1.2.3", 80))


def test_a_client_that_speaks_first_gets_the_answer_and_no_reset(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    serve("80")

    with namespace.connect("127.0.0.1", 80) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n" * 100_000)
        assert client.read_all() == client.answer(untracked)


def test_a_client_may_still_speak_after_the_answer(namespace: Namespace, serve: Launcher) -> None:
    server = serve("80")
    idle = server.descriptors()

    with namespace.connect("127.0.0.1", 80) as client:
        client.read_all()
        client.sendall(b"x" * 1_000_000)
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    server.wait_for_descriptors(idle)


def test_a_client_that_has_closed_its_side_gets_the_answer(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    serve("80")

    with namespace.connect("127.0.0.1", 80) as client:
        expected = client.answer(untracked)
        client.shutdown(socket.SHUT_WR)
        assert client.read_all() == expected


def test_an_answer_that_the_send_buffer_takes_piecemeal_arrives_whole(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    namespace.run("ip link set lo gso_max_segs 1")
    namespace.run("sysctl -qw net.ipv4.tcp_wmem='1 1 1'")
    payload_from_server = "INPUT -p tcp --sport 80 -m length --length 80: -j DROP"
    namespace.run(f"iptables-nft -A {payload_from_server}")
    server = serve("80")

    with namespace.tcp() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 88)
        client.connect(("127.0.0.1", 80))
        expected = client.answer(untracked)
        client.shutdown(socket.SHUT_WR)
        server.line()
        namespace.run(f"iptables-nft -D {payload_from_server}")
        assert client.read_all() == expected


def test_hold_keeps_a_connection_until_the_client_closes(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    server = serve("--hold", "80")
    idle = server.descriptors()

    with namespace.connect("127.0.0.1", 80) as held:
        assert held.read_line() == held.answer(untracked)
        with namespace.connect("127.0.0.1", 80) as later:
            later.sendall(b"still here")
            assert later.read_line() == later.answer(untracked)
        server.wait_for_descriptors(idle + 1)
        held.setblocking(False)
        with pytest.raises(BlockingIOError):
            held.recv(1)
    server.wait_for_descriptors(idle)


@pytest.mark.parametrize(
    ("bound", "others"), [("127.0.0.2", ["127.0.0.1", "::1"]), ("::1", ["127.0.0.1"])]
)
def test_bind_leaves_every_other_address_alone(
    namespace: Namespace, serve: Launcher, untracked: str, bound: str, others: list[str]
) -> None:
    serve("--bind", bound, "80")

    with namespace.connect(bound, 80) as client:
        assert client.read_all() == client.answer(untracked)
    for address in others:
        with pytest.raises(ConnectionRefusedError):
            namespace.connect(address, 80)


def test_bind_takes_a_link_local_address_with_its_interface(
    namespace: Namespace, serve: Launcher
) -> None:
    namespace.run("ip link add veth0 type veth peer name veth1")
    namespace.run("ip addr add fe80::1/64 dev veth0 nodad")
    namespace.run("ip link set veth0 up")
    ifindex = int(namespace.run("ip -o link show veth0").split(":")[0])

    serve("--bind", "fe80::1%veth0", "80")

    with namespace.tcp("::") as client:
        client.connect(("fe80::1", 80, 0, ifindex))
        assert "dest{ip: fe80::1, port: 80}" in client.read_all()


def test_port_0_is_one_port_of_the_kernels_choice_in_both_families(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    server = serve.start("0", "0")

    word, proto, *ports = server.line().split()
    assert [word, proto, len(set(ports))] == ["ready", "tcp", 2]
    for port in map(int, ports):
        for address in ("127.0.0.1", "::1"):
            with namespace.connect(address, port) as client:
                assert client.read_all() == client.answer(untracked)


def test_a_namespace_with_ipv6_switched_off_is_served_over_ipv4(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    namespace.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
    serve("80", "--udp", "53")

    with namespace.connect("127.0.0.1", 80) as client:
        assert client.read_all() == client.answer(untracked)
