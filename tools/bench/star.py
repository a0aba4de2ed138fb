"""Stars of hosts, made in turns by lab and by the least that the kernel needs."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from lab.model.errors import ExitCode, LabError
from tools.bench.commandline import add_output_options, markdown_table, positive, write_output
from tools.bench.contender import Contender, prove_star, time_in_turns
from tools.bench.floor import MAX_HOSTS, build_floor
from tools.bench.machine import Machine, this_machine
from tools.bench.timing import Comparison, Timing, compare

ENGINE = "lab"
FLOOR = "floor"
DEFAULT_SIZES = (10, 100, 1000)


@dataclass(frozen=True, slots=True)
class Star:
    """The timings of one size of star; the n-th of each contender were neighbours in time."""

    hosts: int
    timings: Mapping[str, Sequence[Timing]]

    def median_of(self, contender: str, what: Callable[[Timing], float]) -> float:
        """Return the median of one of a contender's times, in seconds."""
        return median(what(timing) for timing in self.timings[contender])

    def comparison(self) -> Comparison | None:
        """Compare the set-up times, if both contenders were timed."""
        if not {ENGINE, FLOOR} <= self.timings.keys():
            return None
        ours, floor = ([timing.setup_s for timing in self.timings[who]] for who in (ENGINE, FLOOR))
        return compare(ours, floor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: the lab command's own codes."""
    options = _parser().parse_args(arguments)
    try:
        machine = this_machine()
        stars = _measure(options.hosts or DEFAULT_SIZES, options.repetitions, options.only)
    except LabError as error:
        print(f"star: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    write_output(options, _markdown(machine, stars), _json(machine, stars))
    return ExitCode.OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/bench/star",
        description="Time stars of hosts: N network namespaces, each with a veth pair to one "
        "switch, an address and a default route. lab and the floor, a C program that does only "
        "what the kernel needs, take turns in sandboxes of their own; each run waits until the "
        "kernel has destroyed the namespaces of the one before.",
    )
    parser.add_argument(
        "hosts",
        nargs="*",
        type=_hosts,
        metavar="HOSTS",
        help=f"sizes, up to the {MAX_HOSTS} ports of a bridge (10 100 1000)",
    )
    parser.add_argument(
        "-n",
        dest="repetitions",
        type=positive,
        metavar="REPETITIONS",
        help="how often each contender makes each star (7 times; 5 from 1000 hosts on)",
    )
    parser.add_argument("--only", choices=(ENGINE, FLOOR), help="time one contender alone")
    add_output_options(parser)
    return parser


def _hosts(text: str) -> int:
    hosts = positive(text)
    if hosts > MAX_HOSTS:
        raise argparse.ArgumentTypeError(f"{text}: a bridge has {MAX_HOSTS} ports")
    return hosts


def _measure(sizes: Sequence[int], repetitions: int | None, only: str | None) -> list[Star]:
    with tempfile.TemporaryDirectory(prefix="star-") as folder:
        contenders = {ENGINE: Contender(), FLOOR: Contender(build_floor(Path(folder)))}
        if only is not None:
            contenders = {only: contenders[only]}
        stars = []
        for hosts in sizes:
            for contender in contenders.values():
                prove_star(contender, hosts)
            times = repetitions or (7 if hosts < 1000 else 5)
            if sys.stderr.isatty():
                print(f"{hosts} hosts, {times} times each", file=sys.stderr)
            stars.append(Star(hosts, time_in_turns(contenders, hosts, times)))
        return stars


def _markdown(machine: Machine, stars: Sequence[Star]) -> str:
    contenders = list(stars[0].timings)
    compared = stars[0].comparison() is not None
    header = [
        "hosts",
        *(f"{who}: {what}, s" for what in ("set-up", "teardown", "gone") for who in contenders),
        *(("ratio of medians", "median ratio") if compared else ()),
        "times",
    ]
    return f"{machine}\n\n" + markdown_table(header, map(_row, stars))


def _row(star: Star) -> list[str]:
    comparison = star.comparison()
    return [
        str(star.hosts),
        *(f"{star.median_of(who, lambda t: t.setup_s):.4f}" for who in star.timings),
        *(f"{star.median_of(who, lambda t: t.teardown_s):.4f}" for who in star.timings),
        *(f"{star.median_of(who, lambda t: t.gone_s):.2f}" for who in star.timings),
        *(f"{ratio:.2f}" for ratio in (asdict(comparison).values() if comparison else ())),
        str(len(next(iter(star.timings.values())))),
    ]


def _json(machine: Machine, stars: Sequence[Star]) -> str:
    def of(star: Star) -> dict[str, object]:
        comparison = star.comparison()
        timings = {who: [asdict(one) for one in several] for who, several in star.timings.items()}
        return {
            "hosts": star.hosts,
            "timings": timings,
            "setup_ratios": asdict(comparison) if comparison else None,
        }

    return json.dumps({"machine": asdict(machine), "stars": [of(star) for star in stars]}) + "\n"


if __name__ == "__main__":
    sys.exit(main())
