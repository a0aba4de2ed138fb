"""What the server tells a UDP client, and where that answer comes from."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.origdst.conftest import Client, Launcher, Namespace

NO_ORIGINAL = "strerror: Protocol not available, errno: 92"
BOTH_FAMILIES = pytest.mark.parametrize("address", ["127.0.0.1", "::1"])


def ask(client: Client, payload: bytes = b"?") -> str:
    """The answer; the socket is connected and hears nothing but what the asked address says."""
    client.send(payload)
    return client.recv(1 << 16).decode()


@BOTH_FAMILIES
def test_a_datagram_is_answered_with_its_addresses(
    namespace: Namespace, serve: Launcher, address: str
) -> None:
    serve("--udp", "53")

    with namespace.udp(address, 53) as client:
        assert ask(client) == client.answer(NO_ORIGINAL, dest=(address, 53))


@pytest.mark.parametrize("size", [0, 1, 65507])
def test_a_datagram_of_any_size_is_answered_once(
    namespace: Namespace, serve: Launcher, size: int
) -> None:
    serve("--udp", "53")

    with namespace.udp("127.0.0.1", 53) as client:
        assert ask(client, b"x" * size) == client.answer(NO_ORIGINAL)
        assert ask(client, b"next") == client.answer(NO_ORIGINAL)
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(1)


@pytest.mark.parametrize(
    ("asked", "asking"),
    [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")],
)
def test_the_answer_comes_from_the_address_that_was_asked(
    namespace: Namespace, serve: Launcher, asked: str, asking: str
) -> None:
    for address in (asked, asking):
        prefix = 128 if ":" in address else 32
        namespace.run(f"ip addr add {address}/{prefix} dev lo nodad")
    serve("--udp", "53")

    with namespace.udp(asked, 53, source=asking) as client:
        assert ask(client) == client.answer(NO_ORIGINAL, dest=(asked, 53))


def test_a_broadcast_is_answered_from_a_unicast_address(
    namespace: Namespace, serve: Launcher
) -> None:
    namespace.run("ip link add veth0 type veth peer name veth1")
    namespace.run("ip addr add 192.0.2.1/24 brd 192.0.2.255 dev veth0")
    namespace.run("ip link set veth0 up")
    namespace.run("ip link set veth1 up")
    serve("--udp", "53")

    with namespace.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.bind(("192.0.2.1", 0))
        client.sendto(b"?", ("192.0.2.255", 53))
        answer, server = client.recvfrom(1 << 16)
        assert server == ("192.0.2.1", 53)
        assert answer.decode() == client.answer(NO_ORIGINAL, dest=("192.0.2.255", 53))


@pytest.mark.parametrize("asked", ["fe80::1", "ff02::1"])
def test_a_link_local_client_is_answered_on_its_link(
    namespace: Namespace, serve: Launcher, asked: str
) -> None:
    namespace.run("ip link add veth0 type veth peer name veth1")
    namespace.run("ip addr add fe80::1/64 dev veth0 nodad")
    namespace.run("ip link set veth0 up")
    namespace.run("ip link set veth1 up")
    ifindex = int(namespace.run("ip -o link show veth0").split(":")[0])
    serve("--udp", "53")

    with namespace.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        client.bind(("fe80::1", 0, 0, ifindex))
        client.sendto(b"?", (asked, 53, 0, ifindex))
        answer, server = client.recvfrom(1 << 16)
        assert server[:2] == ("fe80::1", 53)
        assert answer.decode() == client.answer(NO_ORIGINAL, dest=(asked, 53))


def test_a_redirected_datagram_shows_its_new_port_and_no_original(
    namespace: Namespace, serve: Launcher
) -> None:
    namespace.run("iptables-nft -t nat -A OUTPUT -p udp --dport 54 -j REDIRECT --to-ports 53")
    serve("--udp", "53")

    with namespace.udp("127.0.0.1", 54) as client:
        assert ask(client) == client.answer(NO_ORIGINAL, dest=("127.0.0.1", 53))


def test_tcp_and_udp_may_share_a_number(namespace: Namespace, serve: Launcher) -> None:
    serve("53", "--udp", "53")

    with namespace.udp("127.0.0.1", 53) as datagrams, namespace.connect("127.0.0.1", 53) as stream:
        assert ask(datagrams) == datagrams.answer(NO_ORIGINAL)
        assert stream.read_all().startswith("source{ip: 127.0.0.1, ")
