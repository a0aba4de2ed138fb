"""What a topology sets up beyond its cables, left out entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from lab.model.errors import Location
from lab.model.topology import Node, Route, Topology
from tools.mutation.script_text import shortened

BRIDGE_NF = "bridge-nf-call-iptables"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reduced:
    """A topology without one entry; ``gone`` is that entry as ``NODE: WHAT``.

    ``location`` is None where nobody knows the entry's own place. ``unneeded`` is the marking
    behind a command of ``exec``.
    """

    topology: Topology
    gone: str
    location: Location | None = None
    unneeded: str = ""


def reduced(topology: Topology) -> Iterator[Reduced]:
    """Leave out each route, setting and command of each node in turn."""
    for node in topology.nodes:
        for less, gone in _routes_and_settings(node):
            yield Reduced(_with_node(topology, less), f"{node.name}: {gone}")
        yield from _commands(topology, node)


def route_text(route: Route) -> str:
    """Write a route the way a topology does."""
    words = [] if route.kind == "unicast" else [route.kind]
    words.append("default" if route.destination.prefixlen == 0 else str(route.destination))
    words += ["via", str(route.via)] if route.via is not None else []
    words += ["dev", route.dev] if route.dev is not None else []
    return " ".join(words)


def _routes_and_settings(node: Node) -> Iterator[tuple[Node, str]]:
    for index, route in enumerate(node.routes):
        yield replace(node, routes=_without(node.routes, index)), route_text(route)
    for index, (key, value) in enumerate(node.sysctls):
        yield replace(node, sysctls=_without(node.sysctls, index)), f"{key}={value}"
    if node.bridge_nf:
        yield replace(node, bridge_nf=False), BRIDGE_NF


def _commands(topology: Topology, node: Node) -> Iterator[Reduced]:
    for index, command in enumerate(node.exec):
        for short in shortened(command.text):
            left = replace(command, text=short.script)
            commands = (*node.exec[:index], left, *node.exec[index + 1 :])
            yield Reduced(
                _with_node(topology, replace(node, exec=commands)),
                f"{node.name}: {short.gone}",
                command.location,
                short.unneeded,
            )


def _without(entries: tuple[_T, ...], index: int) -> tuple[_T, ...]:
    return (*entries[:index], *entries[index + 1 :])


def _with_node(topology: Topology, node: Node) -> Topology:
    nodes = tuple(node if each.name == node.name else each for each in topology.nodes)
    return replace(topology, nodes=nodes)
