"""The JUnit XML document: the elements and attributes that Ant, Jenkins and GitLab agree on."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lab.model.events import (
    CommandRan,
    Flow,
    Observation,
    ScenarioSkipped,
    Status,
    StepFinished,
)
from lab.report.flows import command_lines, evidence_lines
from lab.report.layout import Detail
from lab.report.lines import Line, Page
from lab.report.mismatches import failure_lines, headline

_TERMINAL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_PAGE = Page()


@dataclass(slots=True)
class Case:
    """A step: what it is called, how it ended (None: it did not), what it showed."""

    name: str
    finished: StepFinished | None = None
    details: list[Detail] = field(default_factory=list)


@dataclass(slots=True)
class Suite:
    """A scenario in one variant; ``started`` is local time in ISO 8601, ``seconds`` its length."""

    name: str
    started: str
    properties: dict[str, str]
    cases: dict[int, Case] = field(default_factory=dict)
    seconds: float = 0.0
    broken: str = ""
    skipped: ScenarioSkipped | None = None


def document(suites: Sequence[Suite], cwd: str) -> bytes:
    """Write suites as an XML document in UTF-8, told from the folder ``cwd``."""
    root = Element("testsuites", name="natlab")
    for number, suite in enumerate(suites):
        root.append(_suite(suite, number, cwd))
    indent(root)
    content: bytes = tostring(root, "utf-8", xml_declaration=True)
    return content + b"\n"


def xml_text(text: str) -> str:
    """Leave out what XML 1.0 cannot carry (section 2.2, Char), and colours whole."""
    return _NOT_XML.sub("", _TERMINAL_SEQUENCE.sub("", text.replace("\r\n", "\n")))


def _suite(suite: Suite, number: int, cwd: str) -> Element:
    element = Element("testsuite", name=xml_text(suite.name), id=str(number))
    element.set("timestamp", suite.started)
    properties = SubElement(element, "properties")
    for name, value in suite.properties.items():
        SubElement(properties, "property", name=name, value=xml_text(value))
    for case in suite.cases.values():
        element.append(_case(case, suite.name, cwd))
    if suite.skipped is not None:
        case_element = _case_element("the lab", suite.name, 0.0)
        reason = suite.skipped.reason
        _verdict(case_element, "skipped", reason, suite.skipped.command)
        element.append(case_element)
    if suite.broken:
        case_element = _case_element("the lab", suite.name, 0.0)
        _verdict(case_element, "error", suite.broken, suite.broken, kind="broken")
        element.append(case_element)
    _count(element, suite.seconds)
    return element


def _count(suite: Element, seconds: float) -> None:
    """Count the test cases by the verdict that each carries."""
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for attribute, verdict in (
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ):
        suite.set(attribute, str(sum(case.find(verdict) is not None for case in cases)))
    suite.set("time", f"{seconds:.3f}")


def _case_element(name: str, suite: str, seconds: float) -> Element:
    return Element(
        "testcase", classname=xml_text(suite), name=xml_text(name), time=f"{seconds:.3f}"
    )


def _case(case: Case, suite: str, cwd: str) -> Element:
    step = case.finished
    element = _case_element(case.name, suite, step.seconds if step else 0.0)
    if step is None:
        _verdict(element, "error", "not finished", "", kind="interrupted")
    elif step.status is Status.FAILED:
        flows = [detail for detail in case.details if isinstance(detail, Flow)]
        lines = failure_lines(step, flows, _PAGE, cwd)
        _verdict(element, "failure", headline(step), _text(lines), kind="expectation")
    elif step.status is Status.SKIPPED:
        _verdict(element, "skipped", step.reason, step.reason)
    evidence = _text(_evidence(case.details))
    if evidence:
        SubElement(element, "system-out").text = xml_text(evidence)
    return element


def _verdict(element: Element, name: str, message: str, text: str, kind: str = "") -> None:
    verdict = SubElement(element, name, message=xml_text(message.strip().partition("\n")[0]))
    if kind:
        verdict.set("type", kind)
    verdict.text = xml_text(text) or None


def _evidence(details: Sequence[Detail]) -> Iterable[Line]:
    commands = (detail for detail in details if isinstance(detail, CommandRan))
    flows = [detail for detail in details if isinstance(detail, Flow)]
    seen = [detail for detail in details if isinstance(detail, Observation)]
    return chain(
        command_lines(commands, _PAGE), evidence_lines(flows, seen, _PAGE, all_of_them=True)
    )


def _text(lines: Iterable[Line]) -> str:
    return textwrap.dedent("\n".join(map(str, lines)))
