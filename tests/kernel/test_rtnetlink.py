"""Our rtnetlink requests, beside those that pyroute2 encodes of the same fields."""

from __future__ import annotations

from ipaddress import (
    IPv4Interface,
    IPv4Network,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from lab.kernel import rtnetlink
from lab.model.address import IPAddress

# linux/netlink.h, linux/rtnetlink.h, linux/if.h
REQUEST, EXCL, CREATE = 0x1, 0x200, 0x400
NEW = REQUEST | EXCL | CREATE
NEWLINK, NEWADDR, NEWROUTE = 16, 20, 24
INET, INET6 = 2, 10
UP = 1

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=15)
indexes = st.integers(1, 2**31 - 1)
macs = st.binary(min_size=6, max_size=6).map(lambda octets: octets.hex(":"))
mtus = st.none() | st.integers(68, 65_535)
descriptors = st.integers(0, 2**31 - 1)
addresses = st.ip_addresses()
prefixes = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)),
    st.tuples(st.ip_addresses(v=6), st.integers(0, 128)),
)


def theirs(kind: int, flags: int, body: Any, /, **fields: Any) -> bytes:
    """What pyroute2 makes of a message's fields and attributes."""
    for name, value in fields.items():
        body[name] = value
    body["header"] = {"type": kind, "flags": flags, "sequence_number": 0, "pid": 0}
    body.encode()
    return bytes(body.data)


def end_of_cable(name: str, mac: str, mtu: int | None) -> list[tuple[str, object]]:
    size = [] if mtu is None else [("IFLA_MTU", mtu)]
    queues = [("IFLA_NUM_TX_QUEUES", 1), ("IFLA_NUM_RX_QUEUES", 1)]
    return [("IFLA_IFNAME", name), ("IFLA_ADDRESS", mac), *size, *queues]


def info(kind: str, *about: tuple[str, object]) -> tuple[str, object]:
    attributes = [("IFLA_INFO_KIND", kind), ("IFLA_INFO_DATA", {"attrs": [*about]})]
    return ("IFLA_LINKINFO", {"attrs": attributes})


@given(indexes, names, macs, indexes, names, macs, descriptors, mtus)
def test_a_veth_pair(
    index: int,
    name: str,
    mac: str,
    peer_index: int,
    peer_name: str,
    peer_mac: str,
    namespace: int,
    mtu: int | None,
) -> None:
    where = ("IFLA_NET_NS_FD", namespace)
    peer = {"index": peer_index, "attrs": [*end_of_cable(peer_name, peer_mac, mtu), where]}
    assert rtnetlink.add_veth(
        index, name, mac, peer_index, peer_name, peer_mac, namespace, mtu
    ) == theirs(
        NEWLINK,
        NEW,
        ifinfmsg(),
        index=index,
        flags=UP,
        change=UP,
        attrs=[*end_of_cable(name, mac, mtu), info("veth", ("VETH_INFO_PEER", peer))],
    )


@given(indexes, names, macs)
def test_a_bridge(index: int, name: str, mac: str) -> None:
    no_snooping = ("IFLA_BR_MCAST_SNOOPING", 0)
    assert rtnetlink.add_bridge(index, name, mac) == theirs(
        NEWLINK,
        NEW,
        ifinfmsg(),
        index=index,
        flags=UP,
        change=UP,
        attrs=[("IFLA_IFNAME", name), ("IFLA_ADDRESS", mac), info("bridge", no_snooping)],
    )


@given(indexes, st.none() | indexes)
def test_a_link_that_is_set_up(index: int, master: int | None) -> None:
    port = [] if master is None else [("IFLA_MASTER", master)]
    assert rtnetlink.set_up(index, master) == theirs(
        NEWLINK, REQUEST, ifinfmsg(), index=index, flags=UP, change=UP, attrs=port
    )


@given(indexes)
def test_a_link_without_ipv6_addresses_of_its_own(index: int) -> None:
    none = ("IFLA_INET6_ADDR_GEN_MODE", 1)
    inet6 = {"attrs": [("AF_INET6", {"attrs": [none]})]}
    assert rtnetlink.silence_ipv6(index) == theirs(
        NEWLINK, REQUEST, ifinfmsg(), index=index, attrs=[("IFLA_AF_SPEC", inet6)]
    )


@given(indexes, prefixes)
def test_an_address(index: int, prefix: tuple[IPAddress, int]) -> None:
    address, length = prefix
    interface: IPv4Interface | IPv6Interface = ip_interface(f"{address}/{length}")
    v6, nodad = address.version == 6, 2
    assert rtnetlink.add_address(index, interface) == theirs(
        NEWADDR,
        NEW,
        ifaddrmsg(),
        family=INET6 if v6 else INET,
        prefixlen=length,
        flags=nodad if v6 else 0,
        index=index,
        attrs=[("IFA_LOCAL", str(address)), ("IFA_ADDRESS", str(address))],
    )


def route(
    destination: IPv4Network | IPv6Network,
    gateway: IPAddress | None,
    index: int | None,
    kind: int,
    scope: int,
) -> bytes:
    """A route in the main table (254), as from a boot script (protocol 3)."""
    attributes: list[tuple[str, object]] = []
    if destination.prefixlen:
        attributes.append(("RTA_DST", str(destination.network_address)))
    if gateway is not None:
        attributes.append(("RTA_GATEWAY", str(gateway)))
    if index is not None:
        attributes.append(("RTA_OIF", index))
    return theirs(
        NEWROUTE,
        NEW,
        rtmsg(),
        family=INET6 if destination.version == 6 else INET,
        dst_len=destination.prefixlen,
        table=254,
        proto=3,
        scope=scope,
        type=kind,
        attrs=attributes,
    )


@given(prefixes, st.data())
def test_a_route_through_a_gateway(prefix: tuple[IPAddress, int], drawn: st.DataObject) -> None:
    destination = ip_network(f"{prefix[0]}/{prefix[1]}", strict=False)
    gateway = drawn.draw(st.ip_addresses(v=destination.version))
    index = drawn.draw(st.none() | indexes)
    expected = route(destination, gateway, index, kind=1, scope=0)
    assert rtnetlink.add_route(destination, gateway, index) == expected


@pytest.mark.parametrize(("destination", "scope"), [("10.0.0.0/8", 253), ("fd00::/8", 0)])
def test_a_route_to_a_link(destination: str, scope: int) -> None:
    """Of link scope in IPv4; IPv6 knows no scopes of routes."""
    expected = route(ip_network(destination), None, 7, kind=1, scope=scope)
    assert rtnetlink.add_route(ip_network(destination), None, 7) == expected


@pytest.mark.parametrize(("kind", "rtn"), [("blackhole", 6), ("unreachable", 7), ("prohibit", 8)])
@pytest.mark.parametrize("destination", ["10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0"])
def test_a_route_that_leads_nowhere(kind: str, rtn: int, destination: str) -> None:
    expected = route(ip_network(destination), None, None, kind=rtn, scope=0)
    assert rtnetlink.add_route(ip_network(destination), kind=kind) == expected


def test_another_kind_of_route_is_refused() -> None:
    with pytest.raises(KeyError):
        rtnetlink.add_route(ip_network("10.0.0.0/8"), ip_address("10.0.0.1"), kind="multicast")
