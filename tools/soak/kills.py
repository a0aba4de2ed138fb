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
from tests.run.killing import LIMIT, Victim, kill
from tools.bench.commandline import positive


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: who died how many seconds after its birth, and what came of it."""

    victim: Victim
    age: float
    seconds: float
    left: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.victim} killed at {self.age:.4f} s: {', '.join(self.left) or 'nothing'} left"


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, print one line for each leak and each mode; 1 if anything was left."""
    options = _parser().parse_args(arguments)
    leaks = missing = 0
    try:
        for mode in options.mode or Mode:
            try:
                kills = [*_told(mode, options.kills, options.seed)]
            except Unavailable as unavailable:
                print(f"{mode}: skipped: {unavailable}")
                missing += 1
                continue
            print(f"{mode}: {_summary(kills)}", flush=True)
            leaks += sum(1 for one in kills if one.left)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    if leaks:
        return ExitCode.FAILED
    return ExitCode.MISSING if missing else ExitCode.OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/soak/kills",
        description="Kill runs with SIGKILL, the command itself, the middle process, PID 1 and the "
        "runner in turns, each at a random moment between its birth and the lab's last step. What "
        f"is still there {LIMIT:g} s later is a leak: a process, a namespace that anything holds. "
        "Root kills in all modes, anybody else in their own.",
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
        aftermath = kill(invoker, victim, age)
        done = Kill(victim, age, aftermath.seconds, aftermath.left)
        if done.left:
            print(f"{mode}: kill {number}: {done}", flush=True)
        yield done


def _summary(kills: Sequence[Kill]) -> str:
    seconds = [one.seconds for one in kills]
    leaks = sum(1 for one in kills if one.left)
    if not kills:
        return "0 kills"
    return (
        f"{len(kills)} kills, {leaks} leaks; all gone after {median(seconds) * 1000:.0f} ms "
        f"(median), {max(seconds) * 1000:.0f} ms at most"
    )


if __name__ == "__main__":
    sys.exit(main())
