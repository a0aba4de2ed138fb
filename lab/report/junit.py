"""JUnit XML for CI systems: a suite for each variant of a scenario, a test case for each step."""

from __future__ import annotations

from datetime import datetime

from lab.model.events import (
    CommandRan,
    Event,
    Flow,
    Observation,
    RunStarted,
    ScenarioFinished,
    ScenarioSkipped,
    ScenarioStarted,
    StepFinished,
    StepStarted,
)
from lab.report.files import replace_file
from lab.report.junit_xml import Case, Suite, document
from lab.report.layout import variant_name
from lab.report.places import current_folder


class JUnit:
    """Collects a run and writes it to a file when closed, the whole file or nothing.

    Paths inside are told from ``cwd``, the current folder unless given.
    """

    def __init__(self, path: str, *, cwd: str | None = None) -> None:
        self._path = path
        self._cwd = current_folder() if cwd is None else cwd
        self._run: dict[str, str] = {}
        self._suites: dict[int, Suite] = {}

    def event(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case RunStarted():
                self._run = {"natlab": event.version, "kernel": event.kernel}
            case ScenarioStarted():
                self._suite(event).properties |= {
                    "scenario": event.path,
                    "title": event.title,
                    "topology": event.topology,
                }
            case ScenarioSkipped():
                suite = self._suite(event)
                suite.properties["scenario"] = event.path
                suite.skipped = event
            case ScenarioFinished():
                suite = self._suite(event)
                suite.seconds, suite.broken = event.seconds, event.broken
            case StepStarted():
                self._case(event.lab, event.step).name = event.name
            case CommandRan() | Flow() | Observation():
                self._case(event.lab, event.step).details.append(event)
            case StepFinished():
                case = self._case(event.lab, event.step)
                case.name, case.finished = event.name, event
            case _:
                pass

    def _suite(self, event: ScenarioStarted | ScenarioSkipped | ScenarioFinished) -> Suite:
        """The suite of a lab; one that died at once never said that it started."""
        fresh = Suite(
            name=variant_name(event.scenario, event.iptables),
            started=datetime.now().isoformat(timespec="seconds"),
            properties=self._run | {"iptables": event.iptables},
        )
        return self._suites.setdefault(event.lab, fresh)

    def _case(self, lab: int, step: int) -> Case:
        return self._suites[lab].cases.setdefault(step, Case(f"step {step}"))

    def close(self) -> None:
        """Write the file; Broken where that fails."""
        suites = [self._suites[lab] for lab in sorted(self._suites)]
        replace_file(self._path, document(suites, self._cwd))
