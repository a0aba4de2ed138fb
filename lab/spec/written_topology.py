"""A topology as nodes and links, from the way it is written to the model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lab.model.topology import Command, Interface, Kind, Node, Route, Topology
from lab.spec.document_topology import LinkDocument, NodeDocument
from lab.spec.document_types import check_sysctl_key
from lab.spec.findings import Findings, Path
from lab.spec.links import read_link
from lab.spec.misfit import Misfit
from lab.spec.routes import parse_route
from lab.spec.topology_checks import NumberedLink, check_links, check_routes

LONGEST_NODE_NAME: Final = 63

_NODE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class WrittenTopology:
    """A topology's nodes and links as they are written; None for each of which nothing is left.

    ``whole`` is False where something was left out for its mistakes.
    """

    name: str
    nodes: Mapping[str, NodeDocument | None]
    links: Sequence[LinkDocument | None]
    whole: bool = True


def read_topology(written: WrittenTopology, findings: Findings, path: Path) -> Topology | None:
    """Turn written nodes and links into a topology.

    Args:
        written: the topology as written.
        findings: where mistakes are noted, all of them.
        path: the path of the topology in the file.

    Returns:
        The topology; None where it has mistakes.
    """
    before = len(findings.mistakes)
    for name in written.nodes:
        findings.attempt_key((*path, "nodes", name), _check_name, name)
    kinds = {
        name: Kind(document.kind) if document is not None else Kind.HOST
        for name, document in written.nodes.items()
    }
    links = _read_links(written, kinds, findings, (*path, "links"))
    # What is missing from the links would be missing from every route.
    linked = written.whole and not findings.since(before)
    nodes: list[Node] = []
    for name, document in written.nodes.items():
        if document is not None:
            here = (*path, "nodes", name)
            node = _read_node(name, document, findings, here)
            nodes.append(node)
            if linked and node.kind is not Kind.SWITCH and len(node.routes) == len(document.routes):
                check_routes(node, _interfaces(name, links), findings, (*here, "routes"))
    if findings.since(before) or not written.whole:
        return None
    notes = [note for document in written.nodes.values() if document for note in document.notes]
    return Topology(written.name, tuple(nodes), tuple(link for _, link in links), tuple(notes))


def _read_links(
    written: WrittenTopology, kinds: Mapping[str, Kind], findings: Findings, path: Path
) -> list[NumberedLink]:
    taken: dict[str, set[str]] = {}
    links: list[NumberedLink] = []
    for index, document in enumerate(written.links):
        if document is not None:
            link = read_link(document, kinds, taken, findings, (*path, index))
            if link is not None:
                links.append((index, link))
    check_links(links, kinds, findings, path)
    return links


def _check_name(name: str) -> None:
    if not _NODE_NAME.fullmatch(name):
        raise Misfit(
            f"'{name}' cannot be a node's name",
            "a letter, then letters, digits, '-', '_' and '.'",
        )
    if len(name) > LONGEST_NODE_NAME:
        raise Misfit(f"a node's name has {LONGEST_NODE_NAME} letters at most, not {len(name)}")


def _interfaces(node: str, links: list[NumberedLink]) -> list[Interface]:
    return [end for _, link in links for end in link.ends if end.node == node]


def _read_node(name: str, document: NodeDocument, findings: Findings, path: Path) -> Node:
    kind = Kind(document.kind)
    for key in document.sysctls:
        findings.attempt_key((*path, "sysctls", key), check_sysctl_key, key)
    if document.bridge_nf and kind is not Kind.SWITCH:
        findings.at_key((*path, "bridge-nf-call-iptables"), "only a switch has this key")
    if kind is Kind.SWITCH and document.routes:
        findings.at_key((*path, "routes"), "a switch has no addresses and routes nothing")
    commands = tuple(
        Command(text, findings.script_location((*path, "exec", index)))
        for index, text in enumerate(document.exec)
    )
    return Node(
        name,
        kind,
        tuple(document.sysctls.items()),
        _read_routes(document, findings, (*path, "routes")),
        commands,
        bridge_nf=document.bridge_nf,
    )


def _read_routes(document: NodeDocument, findings: Findings, path: Path) -> tuple[Route, ...]:
    routes = [
        findings.attempt((*path, index), parse_route, text)
        for index, text in enumerate(document.routes)
    ]
    return tuple(route for route in routes if route is not None)
