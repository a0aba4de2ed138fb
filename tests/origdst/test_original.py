"""SO_ORIGINAL_DST: where a connection went to before NAT."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.origdst.conftest import Launcher, Namespace

BOTH_FAMILIES = pytest.mark.parametrize(
    ("iptables", "address"), [("iptables-nft", "127.0.0.1"), ("ip6tables-nft", "::1")]
)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_without_conntrack_there_is_no_original(
    namespace: Namespace, serve: Launcher, untracked: str, address: str
) -> None:
    if untracked.endswith(f" {errno.ENOPROTOOPT}"):
        pytest.skip("nf_conntrack is not loaded: SO_ORIGINAL_DST is no option of any socket")
    serve("80")

    with namespace.connect(address, 80) as client:
        reason = f"strerror: {os.strerror(errno.ENOENT)}, errno: 2"
        assert client.read_all() == client.answer(reason, dest=(address, 80))


@BOTH_FAMILIES
def test_a_redirected_connection_remembers_its_port(
    namespace: Namespace, serve: Launcher, iptables: str, address: str
) -> None:
    namespace.run(f"{iptables} -t nat -A OUTPUT -p tcp --dport 81 -j REDIRECT --to-ports 80")
    serve("80")

    with namespace.connect(address, 81) as client:
        original = f"ip: {address}, port: 81"
        assert client.read_all() == client.answer(original, dest=(address, 80))


@BOTH_FAMILIES
def test_a_redirected_connection_is_logged_with_its_original(
    namespace: Namespace, serve: Launcher, iptables: str, address: str
) -> None:
    namespace.run(f"{iptables} -t nat -A OUTPUT -p tcp --dport 81 -j REDIRECT --to-ports 80")
    server = serve("--json", "--name", "b", "80")

    with namespace.connect(address, 81) as client:
        assert server.line() == (
            '{"event":"connection","proto":"tcp","name":"b",'
            f'"source":{{"ip":"{address}","port":{client.getsockname()[1]}}},'
            f'"dest":{{"ip":"{address}","port":80}},'
            f'"original":{{"ip":"{address}","port":81}}}}'
        )


@BOTH_FAMILIES
def test_with_conntrack_but_no_nat_the_original_is_the_dest(
    namespace: Namespace, serve: Launcher, iptables: str, address: str
) -> None:
    namespace.run(f"{iptables} -A INPUT -m conntrack --ctstate INVALID -j DROP")
    serve("80")

    with namespace.connect(address, 80) as client:
        assert client.read_all() == client.answer(f"ip: {address}, port: 80", dest=(address, 80))


def test_dnat_to_another_address_shows_both(namespace: Namespace, serve: Launcher) -> None:
    namespace.run("ip addr add 192.0.2.1/32 dev lo")
    namespace.run(
        "iptables-nft -t nat -A OUTPUT -d 192.0.2.1 -p tcp --dport 443"
        " -j DNAT --to-destination 127.0.0.1:80"
    )
    serve("80")

    with namespace.connect("192.0.2.1", 443) as client:
        expected = client.answer("ip: 192.0.2.1, port: 443", dest=("127.0.0.1", 80))
        assert client.read_all() == expected
