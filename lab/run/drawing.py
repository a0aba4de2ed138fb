"""A topology drawn in a few lines of text: its cables as a tree, its addresses below."""

from __future__ import annotations

from lab.model.topology import Kind, Topology

_CABLE = " ── "
# More is no picture any more, and its recursion would be Python's.
_MOST_NODES = 64

Cables = dict[str, list[tuple[int, str]]]
"""For each node the numbers of its cables and the nodes at their other ends."""


def draw(topology: Topology) -> tuple[str, ...]:
    """Draw a topology: from the first node along the cables, then each host's addresses.

    Every cable is drawn once; one that closes a ring leads to the name of the node that it
    returns to, in parentheses. Nothing is drawn of more than 64 nodes.
    """
    if len(topology.nodes) > _MOST_NODES:
        return ()
    cables: Cables = {node.name: [] for node in topology.nodes}
    for number, link in enumerate(topology.links):
        cables[link.a.node].append((number, link.b.node))
        cables[link.b.node].append((number, link.a.node))
    seen: set[str] = set()
    lines: list[str] = []
    for node in topology.nodes:
        if node.name not in seen:
            lines += _tree(node.name, cables, seen, set())
    return (*lines, *_addresses(topology))


def _tree(node: str, cables: Cables, seen: set[str], drawn: set[int]) -> list[str]:
    """The lines of a node and all behind it; ``drawn`` are cables."""
    if node in seen:
        return [f"({node})"]
    seen.add(node)
    branches = []
    for number, other in cables[node]:
        if number not in drawn:
            drawn.add(number)
            branches.append(_tree(other, cables, seen, drawn))
    if not branches:
        return [node]
    if len(branches) == 1:
        return _beside(node + _CABLE, " " * len(node + _CABLE), branches[0])
    lines = []
    for number, branch in enumerate(branches):
        last = number == len(branches) - 1
        corner = "─┬─ " if number == 0 else ("└─ " if last else "├─ ")
        margin = " " * (len(node) + 2)
        first = f"{node} {corner}" if number == 0 else margin + corner
        rest = margin + ("   " if last else "│  ")
        lines += _beside(first, rest, branch)
    return lines


def _beside(first: str, rest: str, lines: list[str]) -> list[str]:
    return [first + lines[0], *(rest + line for line in lines[1:])]


def _addresses(topology: Topology) -> list[str]:
    """One line for each host and router: its interfaces with their addresses."""
    hosts = [node for node in topology.nodes if node.kind is not Kind.SWITCH]
    width = max((len(node.name) for node in hosts), default=0)
    lines = []
    for node in hosts:
        ends = [
            " ".join((end.name, *map(str, end.addresses))) for end in topology.interfaces(node.name)
        ]
        lines.append(f"{node.name:<{width}}  {', '.join(ends)}".rstrip())
    return lines
