"""Runs killed at random moments, and what was left of them."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median

from lab.model.errors import ExitCode
from lab.sandbox.fence import Mode
from tests.modes.invoker import Unavailable, invoker_for
from tests.run.killing import LIMIT, PATIENCE, Aftermath, Victim, kill
from tools.bench.commandline import positive


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: who died how many seconds after its birth, and what came of it."""

    victim: Victim
    age: float
    aftermath: Aftermath

    @property
    def leaked(self) -> bool:
        """Whether anything stayed."""
        return bool(self.aftermath.left)

    @property
    def late(self) -> bool:
        """Whether all went, but not in time."""
        return not self.leaked and self.aftermath.seconds > LIMIT

    def __str__(self) -> str:
        what = ", ".join(self.aftermath.left) or f"nothing after {self.aftermath.seconds:.2f} s"
        return f"{self.victim} killed at {self.age:.4f} s left {what}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, print a line for each failure and each mode; 1 if anything stayed or went late."""
    options = _parser().parse_args(arguments)
    failed = missing = False
    try:
        for mode in options.mode or Mode:
            try:
                kills = [*_told(mode, options.kills, options.seed)]
            except Unavailable as unavailable:
                print(f"{mode}: skipped: {unavailable}")
                missing = True
                continue
            print(f"{mode}: {_summary(kills)}", flush=True)
            failed |= any(one.leaked or one.late for one in kills)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    if failed:
        return ExitCode.FAILED
    return ExitCode.MISSING if missing else ExitCode.OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/soak/kills",
        description="Kill runs with SIGKILL: the command itself, the middle process, PID 1 and "
        "the runner in turns, each at a random moment between its birth and the lab's last step. "
        f"A leak is what is still there {PATIENCE:g} s later: a process, a namespace that "
        f"anything holds. What goes after more than {LIMIT:g} s is late. Root kills in all modes, "
        "anybody else in their own.",
    )
    parser.add_argument(
        "kills", nargs="?", type=positive, default=200, help="how many in each mode (200)"
    )
    parser.add_argument(
        "--mode", action="append", type=Mode, choices=[*Mode], help="only this one; repeatable"
    )
    parser.add_argument("--seed", default="kills", help="the moments are always those of a seed")
    return parser


def _told(mode: Mode, count: int, seed: str) -> Iterator[Kill]:
    """Kill ``count`` times and tell of leaks as they come."""
    invoker = invoker_for(mode)
    random = Random(f"{seed} {mode}")
    for number, victim in enumerate(itertools.islice(itertools.cycle(Victim), count), 1):
        age = victim.moment(random)
        done = Kill(victim, age, kill(invoker, victim, age))
        if done.leaked or done.late:
            print(f"{mode}: kill {number}: {done}", flush=True)
        yield done


def _summary(kills: Sequence[Kill]) -> str:
    milliseconds = [one.aftermath.seconds * 1000 for one in kills]
    leaks, late = sum(one.leaked for one in kills), sum(one.late for one in kills)
    return (
        f"{len(kills)} kills, {leaks} leaks, {late} late; all gone after "
        f"{median(milliseconds):.0f} ms (median), {max(milliseconds):.0f} ms at most"
    )


if __name__ == "__main__":
    sys.exit(main())
