"""Topologies drawn as text."""

from __future__ import annotations

from ipaddress import ip_interface
from itertools import pairwise

from lab.model.topology import Interface, Kind, Link, Node, Topology
from lab.run.drawing import draw


def topology(*cables: str, switches: str = "", alone: str = "") -> Topology:
    """A topology of cables such as ``a-b``; each interface is called by the cable's number."""
    names = dict.fromkeys(" ".join(cables).replace("-", " ").split() + alone.split())
    links = []
    for number, cable in enumerate(cables):
        ends = [Interface(name, f"eth{number}") for name in cable.split("-")]
        links.append(Link(*ends))
    kind = dict.fromkeys(switches.split(), Kind.SWITCH)
    return Topology(
        "drawn", tuple(Node(name, kind.get(name, Kind.HOST)) for name in names), tuple(links)
    )


def picture(drawn: Topology) -> str:
    """The drawing without the addresses below it."""
    hosts = [node for node in drawn.nodes if node.kind is not Kind.SWITCH]
    lines = draw(drawn)
    return "\n" + "\n".join(lines[: len(lines) - len(hosts)])


def test_a_host_alone() -> None:
    assert draw(topology(alone="a")) == ("a", "a")


def test_a_chain() -> None:
    assert picture(topology("a-b", "b-c", "c-d")) == "\na ── b ── c ── d"


def test_branches() -> None:
    star = topology("client-isp", "isp-lan", "lan-one", "lan-two", "lan-three", switches="lan")
    assert (
        picture(star)
        == """
client ── isp ── lan ─┬─ one
                      ├─ two
                      └─ three"""
    )


def test_branches_of_branches() -> None:
    assert (
        picture(topology("a-b", "a-c", "b-d", "b-e", "e-f"))
        == """
a ─┬─ b ─┬─ d
   │     └─ e ── f
   └─ c"""
    )


def test_a_ring_returns_to_a_name() -> None:
    assert picture(topology("a-b", "b-c", "c-a")) == "\na ── b ── c ── (a)"


def test_a_ring_on_a_branch() -> None:
    assert (
        picture(topology("a-b", "b-c", "c-d", "d-b", "b-e"))
        == """
a ── b ─┬─ c ── d ── (b)
        └─ e"""
    )


def test_two_cables_between_the_same_hosts_are_both_drawn() -> None:
    assert (
        picture(topology("host-vm", "host-vm", "vm-gw"))
        == """
host ── vm ─┬─ (host)
            └─ gw"""
    )


def test_parts_that_nothing_joins_stand_below_each_other() -> None:
    assert (
        picture(topology("a-b", "c-d", alone="e"))
        == """
a ── b
c ── d
e"""
    )


def test_addresses_stand_below() -> None:
    drawn = Topology(
        "drawn",
        (Node("client"), Node("lan", Kind.SWITCH), Node("r", Kind.ROUTER)),
        (
            Link(
                Interface(
                    "client", "eth0", (ip_interface("10.0.0.1/24"), ip_interface("fd00::1/64"))
                ),
                Interface("lan", "p1"),
            ),
            Link(Interface("lan", "p2"), Interface("r", "lan0", (ip_interface("10.0.0.2/24"),))),
        ),
    )
    assert draw(drawn)[1:] == (
        "client  eth0 10.0.0.1/24 fd00::1/64",
        "r       lan0 10.0.0.2/24",
    )


def test_a_thousand_hosts_are_not_drawn() -> None:
    names = [f"h{number}" for number in range(1000)]
    chain = [f"{one}-{two}" for one, two in pairwise(names)]
    assert draw(topology(*chain)) == ()
