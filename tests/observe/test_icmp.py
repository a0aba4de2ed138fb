"""The names of ICMP errors."""

from __future__ import annotations

import re
import socket
import struct

import pytest

from lab.observe import icmp
from tests.kernel.own_network import own_network, run

IP_RECVERR, IPV6_RECVERR = 11, 25  # linux/in.h, linux/in6.h
SOCK_EXTENDED_ERR = struct.Struct("=IBBBBII")  # linux/errqueue.h


def rejected(family: socket.AddressFamily, address: str) -> str:
    """The name of the ICMP error that answers a datagram."""
    option = (socket.IPPROTO_IP, IP_RECVERR)
    if family == socket.AF_INET6:
        option = (socket.IPPROTO_IPV6, IPV6_RECVERR)
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.settimeout(30)
        sender.setsockopt(*option, 1)
        sender.connect((address, 9))
        sender.send(b"x")
        with pytest.raises(OSError, match=r".") as refused:
            sender.recv(1)
        assert not isinstance(refused.value, TimeoutError)
        control = sender.recvmsg(1, 512, socket.MSG_ERRQUEUE)[1]
    (error,) = [payload for level, kind, payload in control if (level, kind) == option]
    _, _, kind, code, _, _, _ = SOCK_EXTENDED_ERR.unpack_from(error)
    return icmp.name(6 if family == socket.AF_INET6 else 4, kind, code)


def reject_words(iptables: str) -> list[str]:
    """The ICMP answers that iptables can give, from its own help."""
    text = run(f"{iptables} -j REJECT --help")
    words = re.findall(r"^\s+(icmp6?-[a-z-]+)", text, re.MULTILINE)
    assert len(words) >= 4
    return words


@own_network
@pytest.mark.parametrize(
    ("iptables", "family", "address"),
    [
        ("iptables", socket.AF_INET, "127.0.0.1"),
        ("ip6tables", socket.AF_INET6, "::1"),
    ],
)
def test_names_are_those_of_reject_with(
    iptables: str, family: socket.AddressFamily, address: str
) -> None:
    run("sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0")
    for word in reject_words(iptables):
        run(f"{iptables} -A INPUT -p udp -j REJECT --reject-with {word}")
        assert rejected(family, address) == re.sub("^icmp6?-", "", word)
        run(f"{iptables} -F")


def test_a_code_without_a_name_is_told_by_its_numbers() -> None:
    assert icmp.name(4, 3, 99) == "type 3 code 99"


def test_admin_prohibited_is_the_same_in_both_families() -> None:
    assert icmp.same("admin-prohibited", icmp.name(6, 1, 1))
    assert icmp.same("adm-prohibited", icmp.name(4, 3, 13))
    assert not icmp.same("host-prohibited", icmp.name(4, 3, 13))


def test_every_name_is_known() -> None:
    assert {"host-unreachable", "no-route", "ttl-exceeded", "packet-too-big"} <= icmp.NAMES


@pytest.mark.parametrize(("version", "kind"), [(4, 3), (4, 11), (6, 1), (6, 3)])
def test_errors_quote_a_packet(version: int, kind: int) -> None:
    assert icmp.is_error(version, kind)


@pytest.mark.parametrize(("version", "kind"), [(4, 0), (4, 8), (6, 128), (6, 135)])
def test_messages_quote_none(version: int, kind: int) -> None:
    assert not icmp.is_error(version, kind)
