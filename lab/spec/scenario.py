"""Reads a scenario: from a `*.lab.yaml` to the model, or all of its mistakes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Final

from lab.model.errors import BadInput, Location, Mistake
from lab.model.scenario import Article, Backend, Scenario, Step
from lab.model.topology import Topology
from lab.spec.addresses import Surroundings
from lab.spec.catalogue import name_of_file
from lab.spec.document import ArticleDocument, ScenarioDocument, StepDocument
from lab.spec.document_topology import TopologyDocument
from lab.spec.files import Reachable, read_text
from lab.spec.findings import Findings
from lab.spec.foreign_topo import ForeignLoader
from lab.spec.misfit import Misfit
from lab.spec.steps import read_steps
from lab.spec.topology import (
    name_of,
    resolve_reference,
    salvaged_topology,
    written_topology,
)
from lab.spec.topology_reference import TopologyClass, parse_reference
from lab.spec.validation import salvage, validate
from lab.spec.written_topology import WrittenTopology, read_topology
from lab.spec.yaml_text import YamlNode, read_yaml

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


def load_scenario(path: FilePath, foreign: ForeignLoader) -> Scenario:
    """Read a scenario from its file.

    Args:
        path: the file; mistakes name it the way it is given here.
        foreign: builds the Topo class of a user's file, in a process of its own.

    Returns:
        The scenario, every name resolved and every address known.

    Raises:
        BadInput: the file or what it refers to is wrong; carries all mistakes, in file order.
    """
    shown = str(path)
    try:
        text = read_text(path)
    except Misfit as misfit:
        raise BadInput([Mistake(Location(shown), misfit.message, misfit.hint)]) from None
    return parse_scenario(text, path, foreign)


def parse_scenario(text: str, path: FilePath, foreign: ForeignLoader) -> Scenario:
    """Read a scenario from a text; as ``load_scenario``, with ``path`` for the file's name."""
    source = read_yaml(text, str(path))
    findings = Findings(str(path), source)
    absolute = FilePath(os.path.abspath(path))
    value, name = source.value, name_of_file(absolute)
    reachable = _reachable(source, absolute.parent, findings)
    reference = value.get("topology") if isinstance(value, dict) else None
    if isinstance(reference, str):
        written = resolve_reference(reference, reachable, foreign, findings)
        if written is not None:
            findings.elsewhere = ("topology",)
            value, name = {**value, "topology": written}, name_of(reference)
    document = validate(ScenarioDocument, value, findings)
    if document is None:
        # Its steps and its topology may still have mistakes that their forms don't show.
        raw = value if isinstance(value, dict) else {}
        salvaged = salvaged_topology(raw.get("topology"), name, findings)
        _read_parts(_salvaged_steps(raw, findings), salvaged, reachable, findings)
        raise BadInput(findings.mistakes)
    parts = None
    if isinstance(document.topology, TopologyDocument):
        parts = written_topology(document.topology, name)
    topology, steps = _read_parts(document.steps, parts, reachable, findings)
    scenario_name = document.name if document.name is not None else name_of_file(absolute)
    if not _NAME.fullmatch(scenario_name):
        hint = "letters, digits, '.', '_' and '-'"
        findings.at(("name",), f"'{scenario_name}' cannot be a scenario's name", hint)
    findings.raise_if_any()
    assert topology is not None
    return Scenario(
        name=scenario_name,
        path=str(absolute),
        topology=topology,
        steps=steps,
        title=document.title,
        article=_article(document.article),
        backends=_backends(document),
        files=tuple(str(file) for file in reachable.files),
        self_contained=not reachable.files and not _refers_to_files(document, reference),
    )


def _refers_to_files(document: ScenarioDocument, reference: object) -> bool:
    """Whether other files of the user's say part of what the scenario is."""
    if isinstance(reference, str) and isinstance(parse_reference(reference), TopologyClass):
        return True
    return any(
        step.restore is not None and step.restore.file is not None for step in document.steps
    )


def _read_parts(
    steps: Sequence[StepDocument | None],
    written: WrittenTopology | None,
    reachable: Reachable,
    findings: Findings,
) -> tuple[Topology | None, tuple[Step, ...]]:
    """The topology and the steps, as far as they can be read."""
    topology = None
    if written is not None:
        topology = read_topology(written, findings, ("topology",))
    around = Surroundings(
        frozenset(written.nodes) if written is not None else None,
        topology,
        _scripts(steps, topology),
    )
    return topology, read_steps(steps, around, reachable, findings)


def _salvaged_steps(raw: dict[str, object], findings: Findings) -> list[StepDocument | None]:
    steps = raw.get("steps")
    return [
        salvage(StepDocument, step, findings, ("steps", index))
        for index, step in enumerate(steps if isinstance(steps, list) else ())
    ]


def _scripts(steps: Sequence[StepDocument | None], topology: Topology | None) -> str:
    """All that the scenario runs, as one text."""
    lines = [step.run for step in steps if step is not None and step.run is not None]
    if topology is not None:
        lines += [command.text for node in topology.nodes for command in node.exec]
    return "\n".join(lines)


def _reachable(source: YamlNode, folder: FilePath, findings: Findings) -> Reachable:
    """The scenario's folder and what `files` adds to it."""
    own = Reachable(folder)
    written = source.value.get("files") if isinstance(source.value, dict) else None
    files: list[FilePath] = []
    for index, text in enumerate(written if isinstance(written, list) else ()):
        if isinstance(text, str):
            file = findings.attempt(("files", index), own.existing, text)
            if file is not None:
                files.append(file)
    return Reachable(folder, tuple(files))


def _backends(document: ScenarioDocument) -> tuple[Backend, ...]:
    if document.matrix is None or document.matrix.iptables is None:
        return tuple(Backend)
    return tuple(Backend(backend) for backend in dict.fromkeys(document.matrix.iptables))


def _article(document: ArticleDocument | None) -> Article | None:
    if document is None:
        return None
    return Article(document.document, document.section, document.experiments)
