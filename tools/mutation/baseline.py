"""Baselines: a case must pass as it is before what its mutants do can say anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lab.model.events import StepFinished
from tools.mutation.case import Case, describe
from tools.mutation.traffic import RuleTexts, rule_text, traffic_only
from tools.mutation.trials import Record, Trial, at_first_failure, run_trials

Tell = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A case that passes as it is.

    ``rules`` are the texts by which its counted rules are known. ``patient`` is set where its
    traffic takes longer than a trial usually waits, such as for a host that is not there.
    """

    case: Case
    rules: RuleTexts
    patient: bool = False


def pass_as_written(cases: Sequence[Case], jobs: int, tell: Tell) -> list[Baseline]:
    """Run cases as they are; those that pass, while the others are told why they do not."""
    trials = [Trial(case.scenario, case.backend, at_first_failure, patient=True) for case in cases]
    found = []
    for case, record in zip(cases, run_trials(trials, jobs, tell), strict=True):
        case.skipped = record.skipped
        case.fault = _fault(record, "it does not pass as it is")
        if case.sound:
            found.append(Baseline(case, _rule_texts(record)))
    return found


def pass_by_traffic(baselines: Sequence[Baseline], jobs: int, tell: Tell) -> list[Baseline]:
    """Run what cases say about traffic; those that pass so, each in the first way that it does.

    A step whose rule's text is a part of another one's has to go by the rules' numbers.
    """
    passed = []
    for baseline, record in zip(baselines, _run_traffic(baselines, jobs, tell), strict=True):
        if not _fault(record, ""):
            passed.append(baseline)
            continue
        failed = {step.step for step in record.failures()}
        rules = {step: texts for step, texts in baseline.rules.items() if step not in failed}
        passed += _otherwise(replace(baseline, rules=rules), jobs)
    return passed


def _otherwise(baseline: Baseline, jobs: int) -> list[Baseline]:
    """By the numbers of its rules, or waiting longer, or it cannot be examined."""
    ways = [baseline, replace(baseline, patient=True)]
    faults = [_fault(record, "by its traffic alone") for record in _run_traffic(ways, jobs)]
    for way, fault in zip(ways, faults, strict=True):
        if not fault:
            return [way]
    baseline.case.fault = faults[-1]
    return []


def _run_traffic(
    baselines: Sequence[Baseline], jobs: int, tell: Tell = lambda: None
) -> list[Record]:
    trials = [
        Trial(
            traffic_only(each.case.scenario, None, each.rules),
            each.case.backend,
            _never,
            each.patient,
        )
        for each in baselines
    ]
    return run_trials(trials, jobs, tell)


def _never(record: Record, step: StepFinished) -> bool:
    return False


def _fault(record: Record, what: str) -> str:
    """Why a run says nothing: it broke, or a step failed; nothing where all is well."""
    if record.broken and not record.decided:
        return f"{what}: {record.broken}"
    failed = next(record.failures(), None)
    return "" if failed is None else f"{what}: {describe(failed)}"


def _rule_texts(record: Record) -> RuleTexts:
    return {step: tuple(map(rule_text, lines)) for step, lines in record.counted.items()}
