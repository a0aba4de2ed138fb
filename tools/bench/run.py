"""Whole runs of the lab command, timed from outside, and the memory of a lab that is up."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from lab.model.errors import Broken, ExitCode, LabError, Missing
from tools.bench.cleanup import wait_for_namespace_cleanup
from tools.bench.commandline import add_output_options, markdown_table, positive, write_output
from tools.bench.held import held_lab
from tools.bench.machine import Machine, this_machine
from tools.bench.memory import ProcessMemory, process_tree, weigh

REPETITIONS = 15

WallTimes = Mapping[str, Sequence[float]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: the lab command's own codes."""
    options = _parser().parse_args(arguments)
    try:
        lab = _lab(options.lab)
        machine = this_machine()
        times = _time_in_turns(_commands(lab), options.repetitions)
        with held_lab(lab) as pid:
            memory = [weighed for one in process_tree(pid) if (weighed := weigh(one)) is not None]
    except LabError as error:
        print(f"run: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    write_output(options, _markdown(machine, times, memory), _json(machine, times, memory))
    return ExitCode.OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/bench/run",
        description="Time whole runs of the lab command, from its start to its end, in turns and "
        "after one run of each that is not counted. Then hold a small lab and add up the memory "
        "(PSS) of all its processes.",
    )
    parser.add_argument(
        "-n",
        dest="repetitions",
        type=positive,
        default=REPETITIONS,
        metavar="REPETITIONS",
        help=f"how often each command runs ({REPETITIONS} times)",
    )
    parser.add_argument(
        "--lab", type=Path, metavar="FILE", help="the lab command (that of this environment)"
    )
    add_output_options(parser)
    return parser


def _lab(given: Path | None) -> Path:
    lab = given or Path(sys.executable).with_name("lab")
    if not lab.is_file():
        raise Missing(str(lab), "it is what is to be timed", "tools/lab --help")
    return lab.absolute()


def _commands(lab: Path) -> dict[str, list[str]]:
    """Name what is timed; the bare interpreter is the floor under all the others."""
    forward = [str(lab), "run", "port-forward", "--iptables"]
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "lab --help": [str(lab), "--help"],
        "lab run port-forward --iptables nft": [*forward, "nft"],
        "lab run port-forward --iptables legacy": [*forward, "legacy"],
    }


def _time_in_turns(commands: Mapping[str, Sequence[str]], repetitions: int) -> WallTimes:
    """Return each command's wall times, in seconds, without its first: that one fills caches."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repetitions + 1):
        for name, command in commands.items():
            times[name].append(_wall_time(command))
            wait_for_namespace_cleanup()
    return {name: several[1:] for name, several in times.items()}


def _wall_time(command: Sequence[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    elapsed = time.perf_counter() - started
    if done.returncode != 0:
        raise Broken(
            f"{' '.join(command)} failed with exit code {done.returncode}:\n"
            f"{done.stdout}{done.stderr}"
        )
    return elapsed


def _markdown(machine: Machine, times: WallTimes, memory: Sequence[ProcessMemory]) -> str:
    walls = markdown_table(
        ["command", "wall, ms", "least", "times"],
        (
            [f"`{name}`", f"{median(walls) * 1e3:.1f}", f"{min(walls) * 1e3:.1f}", str(len(walls))]
            for name, walls in times.items()
        ),
    )
    weights = markdown_table(
        ["process of a small lab", "PSS, KiB"],
        [
            *([process.name, str(process.pss_kib)] for process in memory),
            ["all together", str(sum(process.pss_kib for process in memory))],
        ],
    )
    return f"{machine}\n\n{walls}\n{weights}"


def _json(machine: Machine, times: WallTimes, memory: Sequence[ProcessMemory]) -> str:
    told = {
        "machine": asdict(machine),
        "wall_s": {name: [round(wall, 6) for wall in walls] for name, walls in times.items()},
        "processes": [asdict(process) for process in memory],
        "pss_kib": sum(process.pss_kib for process in memory),
    }
    return json.dumps(told) + "\n"


if __name__ == "__main__":
    sys.exit(main())
