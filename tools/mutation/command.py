"""The command: scenarios in, mutants run, a table and an exit code out."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.model.errors import ExitCode, LabError, Missing, Mistake
from lab.model.scenario import Backend
from lab.run.command import load_all, variants_of
from lab.run.labs import RunnerFault
from lab.spec.catalogue import find_scenarios
from tools.mutation.baseline import Tell, pass_as_written, pass_by_traffic
from tools.mutation.case import Case, Kind, Verdict
from tools.mutation.commands import command_mutants, judge_commands
from tools.mutation.stale import stale_markings
from tools.mutation.summary import summary
from tools.mutation.values import groups, judge_values, value_mutants


@dataclass(frozen=True, slots=True)
class Examination:
    """The cases with all that was found, and the markings that are of no use."""

    cases: tuple[Case, ...]
    stale: tuple[Mistake, ...]

    @property
    def exit_code(self) -> ExitCode:
        """1 for a survivor, a stale marking or a scenario that does not pass as it is."""
        survived = any(
            result.verdict is Verdict.SURVIVED for case in self.cases for result in case.results
        )
        wrong = survived or self.stale or any(case.fault for case in self.cases)
        return ExitCode.FAILED if wrong else ExitCode.OK


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: the lab command's own codes."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    kinds = tuple(Kind) if options.kind is None else (Kind(options.kind),)
    try:
        examined = examine(options.scenarios, options.iptables, kinds, options.jobs)
    except LabError as error:
        print(f"mutate: {error}", file=sys.stderr)
        return error.exit_code
    except RunnerFault as fault:
        print(f"mutate: {fault}", *fault.__notes__, sep="\n", file=sys.stderr)
        return ExitCode.BROKEN
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    seconds = time.monotonic() - started
    text, document = summary(examined.cases, examined.stale), _document(examined, seconds)
    if options.json == "-":
        print(document)
    else:
        print(f"{text}\n\n{_last_line(examined)} in {seconds:.1f} s")
        if options.json is not None:
            Path(options.json).write_text(f"{document}\n")
    return examined.exit_code


def examine(
    scenarios: Sequence[str], iptables: str | None, kinds: Sequence[Kind], jobs: int
) -> Examination:
    """Run the mutants of scenarios.

    Args:
        scenarios: what `lab run` takes: names of the catalogue, files, folders.
        iptables: "nft", "legacy" or "all"; None for what each scenario's matrix says.
        kinds: what is mutated.
        jobs: the number of labs side by side.

    Raises BadInput for mistakes in the scenarios, Missing for what the machine lacks.
    """
    loaded = load_all(find_scenarios(scenarios))
    cases = [Case(each.scenario, each.backend) for each in variants_of(loaded, iptables)]
    written = pass_as_written(cases, jobs, _progress("as they are", len(cases)))
    skipped = next((case for case in cases if case.skipped), None)
    if skipped is not None and iptables is not None:
        raise Missing(f"iptables {skipped.backend}", skipped.skipped)
    if Kind.COMMANDS in kinds:
        passed = pass_by_traffic(written, jobs, _progress("traffic alone", len(written)))
        deleted = command_mutants(passed)
        judge_commands(deleted, jobs, _progress("commands deleted", len(deleted)))
    if Kind.VALUES in kinds:
        altered = value_mutants(written)
        judge_values(altered, jobs, _progress("values altered", len(groups(altered))))
    stale = stale_markings(cases) if Kind.COMMANDS in kinds else []
    return Examination(tuple(cases), tuple(stale))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/mutate",
        description="Mutation testing of scenarios. Each rule, sysctl, route and address command "
        "is deleted in turn, and an expectation on traffic must fail in another step; each "
        "expected value is altered in turn, and the run must turn red. Exit code 1 for what "
        "survives, unless '# unneeded: why' stands behind the command.",
    )
    parser.add_argument(
        "scenarios", nargs="+", metavar="SCENARIO", help="a name of the catalogue, file or folder"
    )
    parser.add_argument(
        "--iptables", choices=(*map(str, Backend), "all"), help="default: each scenario's matrix"
    )
    parser.add_argument("-k", dest="kind", choices=tuple(map(str, Kind)), help="mutate only these")
    parser.add_argument(
        "-j",
        dest="jobs",
        type=_positive,
        default=2 * (os.cpu_count() or 1),
        metavar="N",
        help="labs side by side (two for each processor, since most of the time they wait)",
    )
    parser.add_argument("--json", metavar="FILE", help="write every mutant to FILE, - for stdout")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _progress(what: str, total: int) -> Tell:
    """Count on standard error, in one line, if somebody is looking."""
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            print(f"\r{what}: {done} of {total}", end=end, file=sys.stderr, flush=True)

    return tell


def _last_line(examined: Examination) -> str:
    results = [result for case in examined.cases for result in case.results]
    survived = sum(result.verdict is Verdict.SURVIVED for result in results)
    return f"{len(results)} mutants, {survived} survived"


def _document(examined: Examination, seconds: float) -> str:
    """Everything that was found, as JSON."""
    cases = [
        {
            "scenario": case.scenario.name,
            "path": case.scenario.path,
            "iptables": str(case.backend),
            "skipped": case.skipped,
            "fault": case.fault,
            "mutants": [
                {
                    "kind": str(result.kind),
                    "location": str(result.location),
                    "what": result.what,
                    "verdict": str(result.verdict),
                    "noticed_by": result.noticed_by,
                    "unneeded": result.unneeded,
                }
                for result in case.results
            ],
        }
        for case in examined.cases
    ]
    stale = [str(mistake) for mistake in examined.stale]
    return json.dumps({"cases": cases, "stale": stale, "seconds": seconds}, indent=1)
