"""Topologies to plan: written in a line each, and drawn at random."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address, ip_interface, ip_network

from hypothesis import strategies as st

from lab.model.address import IPInterface
from lab.model.topology import Interface, Kind, Link, Node, Route, Topology


def node(name: str, kind: str = "host", *routes: Route, **options: object) -> Node:
    """A node; options are those of Node."""
    return Node(name, Kind(kind), routes=routes, **options)  # type: ignore[arg-type]


def link(a: str, b: str, mtu: int | None = None) -> Link:
    """A cable; each end is written ``NODE:INTERFACE [ADDRESS/PREFIX...] [mac=MAC]``."""
    return Link(_end(a), _end(b), mtu)


def route(destination: str, via: str | None = None, dev: str | None = None) -> Route:
    """A route as ip-route(8) writes it: ``blackhole 10.0.0.0/8``, or a destination."""
    kind, _, prefix = destination.rpartition(" ")
    return Route(
        ip_network(prefix), None if via is None else ip_address(via), dev, kind or "unicast"
    )


def topology(*parts: Node | Link) -> Topology:
    """Nodes and links, in any order."""
    nodes = tuple(part for part in parts if isinstance(part, Node))
    links = tuple(part for part in parts if isinstance(part, Link))
    return Topology("test", nodes, links)


def _end(text: str) -> Interface:
    place, *words = text.split()
    name, _, interface = place.partition(":")
    macs = [word.removeprefix("mac=") for word in words if word.startswith("mac=")]
    addresses = tuple(ip_interface(word) for word in words if not word.startswith("mac="))
    return Interface(name, interface, addresses, macs[0] if macs else None)


@st.composite
def random_topologies(draw: st.DrawFn, tree: bool = False) -> Topology:
    """Up to eight nodes of any kind; a tree has no loop for frames to go round in."""
    kinds = draw(st.lists(st.sampled_from(Kind), min_size=1, max_size=8))
    nodes = [Node(f"n{number}", kind) for number, kind in enumerate(kinds)]
    pairs = draw(_trees(len(nodes)) if tree else _pairs(len(nodes)))
    counts: Counter[int] = Counter()
    links = []
    for number, pair in enumerate(pairs):
        ends = []
        for place in pair:
            versions = draw(st.sets(st.sampled_from((4, 6))))
            given = () if nodes[place].kind is Kind.SWITCH else _addresses(number, place, versions)
            ends.append(Interface(nodes[place].name, f"e{counts[place]}", given))
            counts[place] += 1
        links.append(Link(ends[0], ends[1], draw(st.none() | st.sampled_from((1280, 1500, 9000)))))
    return Topology("random", tuple(nodes), tuple(links))


def _pairs(count: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    if count < 2:
        return st.just([])
    places = st.integers(0, count - 1)
    pair = st.tuples(places, places).filter(lambda pair: pair[0] != pair[1])
    return st.lists(pair, max_size=16)


def _trees(count: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Each node but the first hangs on one before it."""
    return st.tuples(
        *(st.tuples(st.integers(0, child - 1), st.just(child)) for child in range(1, count))
    ).map(list)


def _addresses(cable: int, place: int, versions: set[int]) -> tuple[IPInterface, ...]:
    texts = {4: f"10.{cable}.0.{place + 1}/24", 6: f"fd00:{cable}::{place + 1}/64"}
    return tuple(ip_interface(texts[version]) for version in sorted(versions))
