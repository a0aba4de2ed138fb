from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from lab.model.topology import Kind, Topology
from lab.spec.topology import load_topology
from tests.spec.plain_loader import plain_loader

Build = Callable[..., Topology]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Make a topology of the lines that its class consists of."""

    def build_topology(body: str, arguments: str = "") -> Topology:
        lines = "\n".join(f"        {line}" for line in dedent(body).strip().splitlines())
        (tmp_path / "mine.py").write_text(
            "from mininet.topo import Topo\n\n\nclass Mine(Topo):\n"
            f"    def build(self, *args, **kwargs):\n{lines}\n"
        )
        return load_topology(f"mine.py:Mine{arguments}", plain_loader, tmp_path)

    return build_topology


def addresses(topology: Topology) -> dict[str, list[str]]:
    """The addresses of every interface that has some."""
    return {
        f"{end.node}:{end.name}": [str(address) for address in end.addresses]
        for link in topology.links
        for end in link.ends
        if end.addresses
    }


def test_interfaces_are_named_as_mininet_names_them(build: Build) -> None:
    topology = build(
        """
        s1 = self.addSwitch("s1")
        for name in ("h1", "h2"):
            self.addLink(self.addHost(name), s1)
        """
    )
    assert [(str(link.a.name), link.b.name) for link in topology.links] == [
        ("h1-eth0", "s1-eth1"),
        ("h2-eth0", "s1-eth2"),
    ]
    assert topology.node("s1").kind is Kind.SWITCH


def test_hosts_without_addresses_are_numbered_as_mininet_numbers_them(build: Build) -> None:
    topology = build(
        """
        s1 = self.addSwitch("s1")
        for name in ("h10", "h2", "fixed", "none"):
            given = {"fixed": {"ip": "10.9.0.1/24"}, "none": {"ip": None}}.get(name, {})
            self.addLink(self.addHost(name, **given), s1)
        """
    )
    assert addresses(topology) == {
        "h10:h10-eth0": ["10.0.0.3/8"],
        "h2:h2-eth0": ["10.0.0.2/8"],
        "fixed:fixed-eth0": ["10.9.0.1/24"],
    }


def test_a_host_s_own_address_is_that_of_its_first_interface(build: Build) -> None:
    topology = build(
        """
        a = self.addHost("a", ip="10.0.0.1", mac="02:00:00:00:00:0A")
        b = self.addHost("b", ip=None)
        self.addLink(a, b, intfName1="eth0", intfName2="eth0")
        self.addLink(a, b, intfName1="eth1", intfName2="eth1", params1={"ip": "10.1.0.1/24"},
                     params2={"ip": "10.1.0.2/24", "ipv6": "fd00::2/64"})
        """
    )
    assert addresses(topology) == {
        "a:eth0": ["10.0.0.1/8"],
        "a:eth1": ["10.1.0.1/24"],
        "b:eth1": ["10.1.0.2/24", "fd00::2/64"],
    }
    assert topology.links[0].a.mac == "02:00:00:00:00:0a"


def test_the_address_that_a_link_gives_goes_before_the_host_s_own(build: Build) -> None:
    topology = build(
        """
        a = self.addHost("a", ip="10.0.0.1/24")
        b = self.addHost("b", ip=None)
        self.addLink(a, b, params1={"ip": "10.5.0.1/24"})
        """
    )
    assert addresses(topology) == {"a:a-eth0": ["10.5.0.1/24"]}


def test_our_own_keys_are_parameters_of_a_node(build: Build) -> None:
    topology = build(
        """
        a = self.addHost("a", kind="router", sysctls={"net.ipv4.ip_forward": 0},
                         routes=["10.9.0.0/16 via 10.0.0.2"], exec=["ip addr"], notes=["a note"],
                         ip="10.0.0.1/24", defaultRoute="via 10.0.0.2")
        b = self.addHost("b", ip="10.0.0.2/24", defaultRoute="b-eth0")
        s = self.addSwitch("s", bridge_nf_call_iptables=True)
        self.addLink(a, b, mtu=1400)
        self.addLink(b, s)
        """
    )
    a = topology.node("a")
    assert a.kind is Kind.ROUTER
    assert a.sysctls == (("net.ipv4.ip_forward", "0"),)
    assert [str(route.destination) for route in a.routes] == ["0.0.0.0/0", "10.9.0.0/16"]
    assert [command.text for command in a.exec] == ["ip addr"]
    assert topology.node("b").routes[0].dev == "b-eth0"
    assert topology.node("s").bridge_nf
    assert topology.links[0].mtu == 1400
    assert topology.notes == ("a note",)


def test_links_come_in_the_order_in_which_they_were_added(build: Build) -> None:
    topology = build(
        """
        for name in ("z", "m", "a", "k"):
            self.addHost(name, ip=None)
        for one, other in (("z", "a"), ("a", "m"), ("m", "z"), ("k", "a"), ("z", "a"), ("m", "k")):
            self.addLink(one, other)
        """
    )
    for node in topology.nodes:
        names = [interface.name for interface in topology.interfaces(node.name)]
        assert names == sorted(names)
    assert len(topology.links) == 6


def test_ports_that_are_numbered_by_hand(build: Build) -> None:
    topology = build(
        """
        a, b = self.addHost("a", ip=None), self.addHost("b", ip=None)
        self.addLink(a, b, port1=5, port2=0)
        self.addLink(a, b, port1=2, port2=7)
        """
    )
    assert {(link.a.name, link.b.name) for link in topology.links} == {
        ("a-eth5", "b-eth0"),
        ("a-eth2", "b-eth7"),
    }


def test_arguments_reach_the_class(build: Build) -> None:
    body = """
    for number in range(args[0]):
        self.addHost(f"h{number}", **kwargs)
    """
    topology = build(body, "(2, kind='router')")
    assert [(node.name, node.kind) for node in topology.nodes] == [
        ("h0", Kind.ROUTER),
        ("h1", Kind.ROUTER),
    ]


def test_a_topology_of_mininet_s_own(tmp_path: Path) -> None:
    (tmp_path / "linear.py").write_text("from mininet.topo import LinearTopo\n")
    topology = load_topology("linear.py:LinearTopo(k=3, n=2)", plain_loader, tmp_path)
    assert len(topology.nodes) == 9
    assert len(topology.links) == 8
    assert len(addresses(topology)) == 6
