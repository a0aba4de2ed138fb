"""A topology drawn in a few lines of text: its cables as a tree, its addresses below."""

from __future__ import annotations

from lab.model.topology import Kind, Topology

_CABLE = " ── "


def draw(topology: Topology) -> tuple[str, ...]:
    """Draw a topology: from the first node along the cables, then each host's addresses.

    A cable that closes a ring is drawn to the name of the node it returns to.
    """
    neighbours: dict[str, list[str]] = {node.name: [] for node in topology.nodes}
    for link in topology.links:
        neighbours[link.a.node].append(link.b.node)
        neighbours[link.b.node].append(link.a.node)
    drawn: set[str] = set()
    lines: list[str] = []
    for node in topology.nodes:
        if node.name not in drawn:
            lines += _tree(node.name, None, neighbours, drawn)
    return (*lines, *_addresses(topology))


def _tree(
    node: str, came_from: str | None, neighbours: dict[str, list[str]], drawn: set[str]
) -> list[str]:
    """The lines of a node and all behind it."""
    if node in drawn:
        return [f"({node})"]
    drawn.add(node)
    onward = list(neighbours[node])
    if came_from is not None:
        onward.remove(came_from)
    branches = [_tree(each, node, neighbours, drawn) for each in onward if each not in drawn]
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
