"""The value of `topology:`, whichever way it is given, to the model's topology."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any, Final

from lab.model.topology import Topology
from lab.spec.bundled import bundled
from lab.spec.document_topology import LinkDocument, NodeDocument, TopologyDocument
from lab.spec.files import Reachable
from lab.spec.findings import Findings, Path
from lab.spec.foreign_topo import ForeignLoader, written_topology_of
from lab.spec.misfit import Misfit, did_you_mean
from lab.spec.topology_reference import BundledTopology, TopologyClass, parse_reference
from lab.spec.validation import salvage, validate
from lab.spec.written_topology import WrittenTopology, read_topology
from lab.spec.yaml_text import YamlNode

WHERE: Final[Path] = ("topology",)


def load_topology(text: str, foreign: ForeignLoader, folder: FilePath | None = None) -> Topology:
    """Read the topology that an argument of the command names.

    Args:
        text: a bundled topology's name, ``FILE.py:CLASS`` or ``FILE.py:CLASS(ARGUMENTS)``.
        foreign: builds the Topo class of a user's file, in a process of its own.
        folder: what ``FILE`` is relative to; default: the current one.

    Raises:
        BadInput: there is no such topology, or it has mistakes.
    """
    findings = Findings(text, YamlNode(None, 0, 0), elsewhere=WHERE)
    reachable = Reachable(folder or FilePath.cwd(), (FilePath("/"),))
    written = resolve_reference(text, reachable, foreign, findings)
    findings.raise_if_any()
    document = validate(TopologyDocument, written, findings, WHERE)
    findings.raise_if_any()
    assert document is not None
    topology = read_topology(written_topology(document, name_of(text)), findings, WHERE)
    findings.raise_if_any()
    assert topology is not None
    return topology


def written_topology(document: TopologyDocument, name: str) -> WrittenTopology:
    """A topology whose form is right."""
    return WrittenTopology(name, document.nodes, document.links)


def salvaged_topology(value: object, name: str, findings: Findings) -> WrittenTopology | None:
    """What is left of a topology without those of its parts that do not fit, None if nothing.

    Args:
        value: the plain value of `topology:`.
        name: the topology's name.
        findings: where it is noted what was left out; its mistakes are told already.
    """
    raw = value if isinstance(value, dict) else {}
    nodes, links = raw.get("nodes"), raw.get("links")
    if not isinstance(nodes, dict):
        return None
    salvaged: dict[str, NodeDocument | None] = {}
    for node, item in nodes.items():
        path = (*WHERE, "nodes", node)
        document = salvage(NodeDocument, {} if item is None else item, findings, path)
        salvaged[node] = None if findings.lacks(*path, "kind") else document
    return WrittenTopology(
        name,
        salvaged,
        [
            salvage(LinkDocument, item, findings, (*WHERE, "links", index))
            for index, item in enumerate(links if isinstance(links, list) else ())
        ],
        whole=False,
    )


def resolve_reference(
    text: str, reachable: Reachable, foreign: ForeignLoader, findings: Findings
) -> dict[str, Any] | None:
    """The written form of the topology that a text refers to.

    Args:
        text: the value of `topology:`.
        reachable: the files that the scenario may read.
        foreign: builds the Topo class of a user's file, in a process of its own.
        findings: where a mistake is noted.

    Returns:
        Plain values, not validated yet; None where there is no such topology.
    """
    reference = findings.attempt(WHERE, parse_reference, text)
    if isinstance(reference, BundledTopology):
        return findings.attempt(WHERE, _read_bundled, reference.name)
    if isinstance(reference, TopologyClass):
        return findings.attempt(WHERE, _read_foreign, reference, reachable, foreign)
    return None


def name_of(text: str) -> str:
    """How a topology that a text refers to is called."""
    reference = parse_reference(text)
    return reference.name if isinstance(reference, BundledTopology) else reference.class_name


def bundled_topologies() -> list[str]:
    """The names of the topologies that ship with the package, sorted."""
    return sorted(file.stem.replace("_", "-") for file in bundled("topologies").glob("*.py"))


def _read_bundled(name: str) -> dict[str, Any]:
    from lab.spec import mininet_topo

    file = bundled("topologies") / f"{name.replace('-', '_')}.py"
    if not file.is_file() or "_" in name:
        hint = did_you_mean(name, bundled_topologies(), "topologies")
        raise Misfit(f"unknown topology '{name}'", hint)
    topo = mininet_topo.import_file(file).topos[name]()
    return mininet_topo.written_topology(topo)


def _read_foreign(
    reference: TopologyClass, reachable: Reachable, foreign: ForeignLoader
) -> dict[str, Any]:
    file = reachable.find(reference.file)
    description = foreign(file, reference.class_name, reference.args, dict(reference.kwargs))
    return written_topology_of(description, reference.class_name)
