"""What rtnetlink dumps, beside what ip(8) prints of the same tables."""

from __future__ import annotations

import errno
import re
import socket
from ipaddress import ip_address, ip_network

import pytest

from lab.kernel.namespaces import Namespace, hold, inside_net, unshare
from lab.kernel.netlink import route_socket
from lab.kernel.rtnl_dump import addresses, links, neighbours, routes
from lab.kernel.rtnl_records import NeighbourEntry, NextHop, RouteEntry
from tests.kernel.own_network import join, own_network, run

NETLINK_GENERIC = 16  # linux/netlink.h

ROUTER = """
    ip link add lan0 type veth peer name lan1
    ip link add ppp0 type veth peer name ppp1
    for interface in lan0 lan1 ppp0 ppp1; do
        sysctl -qw net.ipv6.conf.$interface.accept_dad=0
        ip link set $interface up
    done
    ip addr add 192.168.1.3/24 dev lan0
    ip addr add 192.168.1.4/24 dev lan0
    ip addr add 22.22.22.22/24 dev ppp0
    ip addr add 10.9.9.1 peer 10.9.9.2/32 dev ppp1
    ip addr add fd00::3/64 dev lan0
"""

# The kernel marks the routes from a work queue (net/core/link_watch.c), up to a second later.
UNPLUG = """
    ip link set ppp1 down
    until ip route show dev ppp0 | grep -q linkdown; do :; done
    until ip -6 route show dev ppp0 | grep -q linkdown; do :; done
"""


@own_network
@pytest.mark.parametrize(
    "route",
    [
        "default via 22.22.22.1 dev ppp0",
        "default via 192.168.1.9 dev lan0 src 192.168.1.4 metric 100",
        "10.5.0.1 dev lan0 scope link",
        "10.5.0.0/16 dev lan0 proto static scope host",
        "10.5.0.0/16 tos 0x10 dev lan0 scope link",
        "10.5.0.0/16 via 99.9.9.9 dev lan0 onlink",
        "10.5.0.0/16 via inet6 fd00::1 dev lan0",
        "10.5.0.0/16 dev lan0 proto 77 scope link",
        "10.5.0.0/16 dev lan0 scope link mtu 1400 advmss 1300",
        "10.5.0.0/16 dev lan0 scope link mtu lock 1300 initcwnd 10 quickack 1 congctl cubic",
        "10.5.0.0/16 nexthop via 22.22.22.1 dev ppp0 weight 2 nexthop via 192.168.1.9 dev lan0",
        "blackhole 10.5.0.0/16",
        "unreachable 10.5.0.0/16 metric 5",
        "prohibit 10.5.0.0/16",
        "throw 10.5.0.0/16",
    ],
)
def test_a_route_prints_as_ip_route_does(route: str) -> None:
    run(ROUTER)
    run(f"ip route add {route}")
    run(UNPLUG)
    assert_same_routes()


@own_network
@pytest.mark.parametrize(
    "route",
    [
        "default via fd00::1 dev lan0",
        "fd01::/64 via fe80::9 dev lan0 metric 50",
        "fd01::1 dev lan0 pref high",
        "fd02::/64 nexthop via fd00::1 dev lan0 nexthop via fd00::2 dev lan0 weight 3",
        "blackhole 2001:db8::/32",
    ],
)
def test_an_ipv6_route_prints_as_ip_route_does(route: str) -> None:
    run(ROUTER)
    run(f"ip -6 route add {route}")
    assert_same_routes()


def assert_same_routes() -> None:
    """Compares the whole main tables; ip(8) puts nothing but line breaks in between."""
    printed = [
        " ".join(line.replace("\\", " ").split())
        for command in ("ip -o -4 route", "ip -o -6 route")
        for line in run(command).splitlines()
    ]
    with route_socket() as channel:
        assert [str(route) for route in routes(channel)] == printed


@own_network
def test_a_route_has_its_parts() -> None:
    run(ROUTER)
    run("ip route add 10.5.0.0/16 via 22.22.22.1 dev ppp0 src 22.22.22.22 metric 7 proto static")
    with route_socket() as channel:
        assert RouteEntry(
            kind="unicast",
            destination=ip_network("10.5.0.0/16"),
            hops=(NextHop(ip_address("22.22.22.1"), "ppp0"),),
            proto="static",
            scope="global",
            source=ip_address("22.22.22.22"),
            metric=7,
        ) in routes(channel)


@own_network
def test_other_tables_are_left_out() -> None:
    run(ROUTER)
    run("ip route add 10.5.0.0/16 dev lan0 table 100")
    with route_socket() as channel:
        assert not [route for route in routes(channel) if "10.5.0.0" in str(route)]


@own_network
def test_what_the_kernel_learned_of_a_path_is_no_route() -> None:
    router = hold(Namespace.NET)
    run("sysctl -qw net.ipv4.ip_forward=1")
    unshare(Namespace.NET)
    server = hold(Namespace.NET)
    join(router, "lan0 198.51.100.1/24", server, "eth0 198.51.100.2/24")
    unshare(Namespace.NET)
    client = hold(Namespace.NET)
    join(router, "wan0 192.0.2.1/24", client, "eth0 192.0.2.2/24")
    with inside_net(router, client):
        run("ip link set lan0 mtu 1300")
    run("ip route add default via 192.0.2.1; ping -c 1 -M do -s 1400 198.51.100.2 || true")
    assert "cache expires" in run("ip route get 198.51.100.2; ip route show cache")
    assert_same_routes()


@own_network
def test_neighbours_print_as_ip_neigh_does() -> None:
    run(ROUTER)
    run(
        """
        add() { ip neigh add dev lan0 "$@"; }
        add 192.168.1.1 lladdr 02:00:00:00:00:01 nud permanent
        add 192.168.1.5 lladdr 02:00:00:00:00:05 nud stale
        add 192.168.1.6 lladdr 02:00:00:00:00:06 nud noarp
        add 192.168.1.7 nud failed
        add fd00::1 lladdr 02:00:00:00:00:01 nud stale router
        """
    )
    printed = [" ".join(line.split()) for line in run("ip -o neigh").splitlines()]
    with route_socket() as channel:
        table = neighbours(channel)
    assert sorted(map(str, table)) == sorted(printed)
    assert len(table) == 4
    assert NeighbourEntry(ip_address("192.168.1.7"), "lan0", None, "FAILED") in table


@own_network
def test_addresses_are_those_of_ip_addr() -> None:
    run(ROUTER)
    with route_socket() as channel:
        found = {(entry.dev, str(entry.address), entry.scope) for entry in addresses(channel)}
    printed = set()
    for line in run("ip -o addr").splitlines():
        _, dev, _, address, *words = line.split()
        length = words[1].partition("/")[2] if words[0] == "peer" else ""
        scope = words[words.index("scope") + 1]
        printed.add((dev, f"{address}/{length}" if length else address, scope))
    assert found == printed


@own_network
def test_links_are_those_of_ip_link() -> None:
    run(ROUTER)
    run("ip link set lan0 mtu 1400 address 02:00:00:00:00:03; ip link set ppp1 down")
    with route_socket() as channel:
        found = {link.name: link for link in links(channel)}
    for line in run("ip -o link").splitlines():
        words = line.split()
        link = found.pop(re.split("[@:]", words[1])[0])
        assert f"{link.index}:" == words[0]
        assert link.up == ("UP" in words[2].strip("<>").split(","))
        assert str(link.mtu) == words[words.index("mtu") + 1]
        assert link.state == words[words.index("state") + 1]
        assert f" {link.mac} brd " in line
    assert not found


@own_network
def test_a_socket_keeps_showing_the_namespace_it_was_opened_in() -> None:
    run(ROUTER)
    home = hold(Namespace.NET)
    unshare(Namespace.NET)
    elsewhere = hold(Namespace.NET)
    with inside_net(home, elsewhere):
        channel = route_socket()
    with channel, route_socket() as here:
        assert "lan0" in {link.name for link in links(channel)}
        assert {link.name for link in links(here)} == {"lo"}


@own_network
def test_a_large_table_comes_whole() -> None:
    run("ip link set lo up")
    run(
        "for i in $(seq 0 3000); do echo route add blackhole 10.$((i / 250)).$((i % 250)).0/24; "
        "done | ip -batch -"
    )
    with route_socket() as channel:
        assert len(routes(channel)) == 3001


@own_network
def test_a_dump_that_is_refused_is_an_error() -> None:
    generic = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
    with generic, pytest.raises(OSError, match="rtnetlink dump: ") as refused:
        links(generic)
    assert refused.value.errno == errno.ENOENT
