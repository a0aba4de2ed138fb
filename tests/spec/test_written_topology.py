from __future__ import annotations

from collections.abc import Callable

import pytest

from lab.model.topology import Kind, Route, Topology
from tests.spec.conftest import Mistakes, Read

Build = Callable[..., Topology]
Told = Callable[..., list[str]]


@pytest.fixture
def topology(read: Read) -> Build:
    """The topology of some nodes and links."""

    def read_topology(nodes: str, links: str = "") -> Topology:
        return read(
            f"topology:\n  nodes: {{{nodes}}}\n  links: [{links}]\n"
            "steps:\n  - {on: a, run: date}\n"
        ).topology

    return read_topology


@pytest.fixture
def told(mistakes: Mistakes) -> Told:
    """The mistakes of some nodes and links."""

    def read_mistakes(nodes: str, links: str = "") -> list[str]:
        return mistakes(
            f"topology:\n  nodes: {{{nodes}}}\n  links: [{links}]\n"
            "steps:\n  - {on: a, run: date}\n"
        )

    return read_mistakes


def test_a_node_is_a_host_unless_it_says_otherwise(topology: Build) -> None:
    built = topology("a: , r: {kind: router}, lan: {kind: switch, bridge-nf-call-iptables: true}")
    assert [node.kind for node in built.nodes] == [Kind.HOST, Kind.ROUTER, Kind.SWITCH]
    assert [node.bridge_nf for node in built.nodes] == [False, False, True]


def test_an_inline_topology_has_the_name_of_the_scenario(topology: Build) -> None:
    assert topology("a: {}").name == "test"


def test_interfaces_without_names_get_the_first_that_are_free(topology: Build) -> None:
    built = topology(
        "a: {}, b: {}, lan: {kind: switch}",
        '{endpoints: ["a:eth1", lan]}, {endpoints: [a, "lan:p3"]}, {endpoints: [a, lan]},'
        " {endpoints: [b, lan]}",
    )
    assert [(link.a.name, link.b.name) for link in built.links] == [
        ("eth1", "p1"),
        ("eth0", "p3"),
        ("eth2", "p2"),
        ("eth0", "p4"),
    ]


@pytest.mark.parametrize(
    "addresses",
    [
        "[10.0.0.1/24, 10.0.0.2/24]",
        "{a: 10.0.0.1/24, b: 10.0.0.2/24}",
        '{"a:eth0": [10.0.0.1/24], "b:eth0": 10.0.0.2/24}',
    ],
)
def test_addresses_of_both_ends(topology: Build, addresses: str) -> None:
    built = topology("a: {}, b: {}", f'{{endpoints: ["a:eth0", b], ipv4: {addresses}}}')
    assert [str(ip) for name in "ab" for ip in built.addresses(name)] == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize("addresses", ["10.0.0.1/24", "[10.0.0.1/24]", "{a: 10.0.0.1/24}"])
def test_addresses_of_the_end_that_is_no_switch(topology: Build, addresses: str) -> None:
    built = topology("a: {}, lan: {kind: switch}", f"{{endpoints: [lan, a], ipv4: {addresses}}}")
    assert [str(ip) for ip in built.addresses("a")] == ["10.0.0.1"]


def test_an_interface_may_have_several_addresses(topology: Build) -> None:
    built = topology(
        "a: {}, lan: {kind: switch}",
        '{endpoints: [a, lan], ipv4: [10.0.0.1/24, 10.0.0.2/24], ipv6: "fd00::1/64"}',
    )
    assert [str(ip) for ip in built.addresses("a")] == ["10.0.0.1", "10.0.0.2", "fd00::1"]


def test_host_bits_stay_in_an_address(topology: Build) -> None:
    built = topology("a: {}, b: {}", "{endpoints: [a, b], ipv4: {a: 10.0.0.1/24}}")
    (address,) = built.interfaces("a")[0].addresses
    assert str(address) == "10.0.0.1/24"


def test_mac_and_mtu(topology: Build) -> None:
    built = topology(
        "a: {}, b: {}",
        '{endpoints: [a, b], mac: ["02:00:00:00:00:AB", "02:00:00:00:00:02"], mtu: 1400}',
    )
    (link,) = built.links
    assert (link.a.mac, link.b.mac, link.mtu) == ("02:00:00:00:00:ab", "02:00:00:00:00:02", 1400)


def test_one_address_may_be_on_two_networks(topology: Build) -> None:
    built = topology(
        "a: {}, b: {}, c: {}, d: {}, lan1: {kind: switch}, lan2: {kind: switch}",
        "{endpoints: [a, lan1], ipv4: 10.0.0.1/24}, {endpoints: [b, lan2], ipv4: 10.0.0.1/24},"
        "{endpoints: [c, d], ipv4: {c: 10.0.0.1/24}}",
    )
    assert [str(built.addresses(name)[0]) for name in "abc"] == ["10.0.0.1"] * 3


def test_switches_that_are_linked_are_one_network(told: Told) -> None:
    assert told(
        "a: {}, b: {}, s1: {kind: switch}, s2: {kind: switch}, s3: {kind: switch}",
        "{endpoints: [a, s1], ipv4: 10.0.0.1/24}, {endpoints: [b, s3], ipv4: 10.0.0.1/24},"
        "{endpoints: [s1, s2]}, {endpoints: [s2, s3]}",
    ) == ["10.0.0.1 is here twice on one network"]


def test_a_bridge_has_1023_ports_at_most(told: Told) -> None:
    links = ", ".join(["{endpoints: [a, lan]}"] * 1024)
    assert told("a: {}, lan: {kind: switch}", links) == ["switch 'lan' has more than 1023 ports"]


def test_routes(topology: Build) -> None:
    built = topology(
        "a: {routes: [default via 10.0.0.2, 10.1.0.0/16 via 10.0.0.2 dev eth0,"
        ' 10.2.0.0/16 dev eth0, "default via fd00::2", blackhole 10.3.0.0/16,'
        " 10.4.0.1 via 10.2.0.1]}, b: {}",
        '{endpoints: [a, b], ipv4: [10.0.0.1/24, 10.0.0.2/24], ipv6: {a: "fd00::1/64"}}',
    )
    routes = built.node("a").routes
    assert [str(route.destination) for route in routes] == [
        "0.0.0.0/0",
        "10.1.0.0/16",
        "10.2.0.0/16",
        "::/0",
        "10.3.0.0/16",
        "10.4.0.1/32",
    ]
    assert routes[4] == Route(routes[4].destination, kind="blackhole")
    assert (str(routes[1].via), routes[1].dev) == ("10.0.0.2", "eth0")


def test_a_link_local_gateway_needs_its_interface(told: Told, topology: Build) -> None:
    link = '{endpoints: [a, b], ipv6: {a: "fd00::1/64"}}'
    topology('a: {routes: ["default via fe80::1 dev eth0"]}, b: {}', link)
    assert told('a: {routes: ["default via fe80::1"]}, b: {}', link) == [
        "gateway fe80::1 is in no network of 'a'"
    ]


def test_settings_are_text(topology: Build) -> None:
    built = topology(
        'a: {sysctls: {net.ipv4.ip_forward: 1, net.ipv4.ip_local_port_range: "1024 2048"}}'
    )
    assert built.node("a").sysctls == (
        ("net.ipv4.ip_forward", "1"),
        ("net.ipv4.ip_local_port_range", "1024 2048"),
    )


def test_a_command_knows_its_line(read: Read) -> None:
    scenario = read(
        """
        topology:
          nodes:
            a:
              exec:
                - ip addr
                - |
                  ip route
                  ip rule
        steps:
          - {on: a, run: date}
        """
    )
    assert [(item.text, item.location.line) for item in scenario.topology.node("a").exec] == [
        ("ip addr", 6),
        ("ip route\nip rule\n", 8),
    ]


def test_notes_of_nodes_are_the_topology_s(topology: Build) -> None:
    assert topology('a: {notes: ["ppp0: emulated by veth"]}').notes == ("ppp0: emulated by veth",)
