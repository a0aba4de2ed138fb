"""JUnit XML, as CI systems read it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import junitparser
import pytest
import xmlschema
from hypothesis import given

from lab.model.errors import Broken
from lab.model.events import Event, ScenarioFinished, StepFinished
from lab.report.junit import JUnit
from lab.report.junit_xml import xml_text
from tests.report.runs import (
    ANY_TEXT,
    FOLDER,
    LAB_DIED,
    any_run,
    lab_events,
    run_started,
    skipped_variant,
    whole_run,
)

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))


def report(events: list[Event], path: Path) -> ElementTree.Element:
    """Write a run, check it against the schema, and give its topmost element."""
    junit = JUnit(str(path), cwd=FOLDER)
    for event in events:
        junit.event(event)
    junit.close()
    SCHEMA.validate(path)
    return ElementTree.parse(path).getroot()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.xml"


def test_each_variant_is_a_suite_with_its_sums(path: Path) -> None:
    suites = report(whole_run(), path).findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["port-forward[nft]", "port-forward[legacy]"]
    sums = [
        [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] for suite in suites
    ]
    assert sums == [["4", "1", "0", "1"], ["1", "0", "0", "1"]]
    assert suites[0].get("time") == "1.063"


def test_a_suite_says_what_ran_on_which_kernel(path: Path) -> None:
    suite = report(whole_run(), path).find("testsuite")
    assert suite is not None
    assert {item.get("name"): item.get("value") for item in suite.iter("property")} == {
        "natlab": "0.1.0",
        "kernel": "6.18.5",
        "iptables": "nft",
        "scenario": f"{FOLDER}/port-forward.lab.yaml",
        "title": "Two public ports, two servers behind one address",
        "topology": "home-router",
    }


def test_each_step_is_a_case_of_its_variant(path: Path) -> None:
    first, second, *_ = report(whole_run(), path).iter("testcase")
    assert first.attrib == {
        "classname": "port-forward[nft]",
        "name": "the router forwards ports 80 and 81",
        "time": "0.012",
    }
    assert second.findtext("system-out") == (
        "client   10.10.10.10:40312 > 22.22.22.22:80  connected\n"
        "server1  10.10.10.10:40312 > 192.168.1.1:80  original dest ENOENT\n"
        "router   conntrack  tcp TIME_WAIT 10.10.10.10:40312 > 22.22.22.22:80, "
        "reply 192.168.1.1:80 > 10.10.10.10:40312 [ASSURED]\n"
        "router   rule       nat/PREROUTING #1: 1 packet (+1)"
    )


def test_a_failure_says_what_was_expected_and_where(path: Path) -> None:
    failure = report(whole_run(), path).find(".//failure")
    assert failure is not None
    assert failure.get("message") == (
        "outcome: expected connected, observed no-answer (timed out); "
        "server.dest: expected server2:80 (192.168.1.2:80), observed (nothing)"
    )
    assert failure.text is not None
    assert failure.text.splitlines()[-2:] == [
        "at port-forward.lab.yaml:16:16",
        "at port-forward.lab.yaml:17:31",
    ]


def test_a_skip_says_why_and_how_to_cure_it(path: Path) -> None:
    step, variant = report(whole_run(), path).iter("skipped")
    assert step.get("message") == "only with iptables legacy"
    assert variant.get("message") == "iptables-legacy is not installed"
    assert variant.text == "sudo apt install iptables"


def test_commands_stand_in_the_output_of_their_step(path: Path) -> None:
    case = report(whole_run(), path).find(".//testcase")
    assert case is not None
    assert case.findtext("system-out", "").splitlines()[1:3] == [
        "router# iptables -t nat -S PREROUTING  exit 0",
        "  -P PREROUTING ACCEPT",
    ]


def test_a_run_cut_short_has_what_it_had_come_to(path: Path) -> None:
    (suite,) = report([run_started(), *lab_events()[:8]], path)
    assert [suite.get(key) for key in ("tests", "errors")] == ["2", "1"]
    error = suite.find(".//error")
    assert error is not None
    assert error.get("message") == "not finished"


def test_a_run_that_never_began_is_a_valid_report(path: Path) -> None:
    assert len(report([], path)) == 0


def test_a_lab_that_broke_is_an_error_of_its_suite(path: Path) -> None:
    *events, finished = [run_started(), *lab_events()]
    assert isinstance(finished, ScenarioFinished)
    broken = replace(finished, broken="the runner died\nkilled by SIGKILL")
    suite = report([*events, broken], path).find("testsuite")
    assert suite is not None
    assert suite.get("errors") == "1"
    error = suite.find("testcase/error")
    assert error is not None
    assert error.get("message") == "the runner died"
    assert error.text == "the runner died\nkilled by SIGKILL"


def test_labs_stand_in_their_order_whichever_came_first(path: Path) -> None:
    events = [run_started(2), *lab_events(2, "legacy"), *lab_events(1, "nft")]
    names = [suite.get("name") for suite in report(events, path)]
    assert names == ["port-forward[nft]", "port-forward[legacy]"]


def test_a_ci_system_reads_it(path: Path) -> None:
    report(whole_run(), path)
    suites = list(junitparser.JUnitXml.fromfile(str(path)))
    cases = [case for suite in suites for case in suite]
    assert [case.is_passed for case in cases] == [True, True, False, False, False]
    assert [case.is_failure for case in cases] == [False, False, True, False, False]
    assert [case.is_skipped for case in cases] == [False, False, False, True, True]


def test_a_report_that_cannot_be_written_is_told() -> None:
    with pytest.raises(Broken, match="cannot write /dev/full: No space left on device"):
        JUnit("/dev/full").close()


def test_colours_and_control_characters_are_left_out() -> None:
    assert xml_text("\x1b[1;31mred\x1b[0m \x00\x08\ufffe\udc80\r\nend") == "red \nend"


@given(text=ANY_TEXT)
def test_any_text_can_be_carried(text: str) -> None:
    element = ElementTree.Element("failure", message=xml_text(text))
    element.text = xml_text(text)
    read = ElementTree.fromstring(ElementTree.tostring(element))
    assert read.get("message") == xml_text(text)
    assert (read.text or "") == xml_text(text)


@given(events=any_run())
def test_any_run_makes_a_valid_report(
    events: list[Event], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = report(events, tmp_path_factory.mktemp("junit") / "report.xml")
    failed = {
        (event.lab, event.step)
        for event in events
        if isinstance(event, StepFinished) and event.status == "failed"
    }
    assert len(list(root.iter("failure"))) == len(failed)


def test_a_skipped_variant_alone_is_a_report(path: Path) -> None:
    (suite,) = report([run_started(), skipped_variant(1)], path)
    assert suite.get("skipped") == "1"


def test_a_lab_that_died_before_it_started_is_a_suite_too(path: Path) -> None:
    (suite,) = report([run_started(), LAB_DIED], path)
    assert suite.get("name") == "port-forward[nft]"
    assert suite.get("errors") == "1"
