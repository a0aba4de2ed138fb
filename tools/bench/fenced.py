"""One star in a lab's own fence: the process that every timing of a contender comes from.

Both contenders start in the runner of an ordinary sandbox, behind the same two user namespaces and
the same system call filter, from an empty network namespace.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.model.errors import Broken, ExitCode, LabError
from lab.model.scenario import Backend
from lab.sandbox.fence import Mode, choose
from lab.sandbox.launch import Launched, Task, launch
from lab.sandbox.root import RootPlan
from lab.sandbox.toolbox import Toolbox, find_backend
from tools.bench.engine import run_in_engine, star, time_engine


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: the lab command's own codes."""
    options = _parser().parse_args(arguments)
    try:
        if options.floor is None:
            return _run_fenced(_engine_task(options), ())
        return _run_fenced(_floor_task(options), (str(options.floor),))
    except LabError as error:
        print(f"fenced: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fenced",
        description="Make one star of HOSTS hosts, drop it, and print how long that took as JSON.",
    )
    parser.add_argument("hosts", type=int, metavar="HOSTS")
    parser.add_argument(
        "--floor", type=Path, metavar="PROGRAM", help="have the compiled star_floor.c make it"
    )
    parser.add_argument(
        "--in",
        dest="inside",
        nargs=2,
        metavar=("NODE", "COMMAND"),
        help="run a shell command in the switch (0) or a host (from 1) instead of timing",
    )
    return parser


def _engine_task(options: argparse.Namespace) -> Task:
    # Reading the topology is the lab command's work, before it makes a sandbox.
    topology = star(options.hosts)

    def task(output: int) -> int:
        if options.inside is not None:
            node, command = options.inside
            run_in_engine(topology, int(node), command, output)
        else:
            told = {"hosts": options.hosts, **time_engine(topology), "errors": 0}
            os.write(output, (json.dumps(told) + "\n").encode())
        return ExitCode.OK

    return task


def _floor_task(options: argparse.Namespace) -> Task:
    inside = [] if options.inside is None else ["--in", *options.inside]
    command = [options.floor, *inside, str(options.hosts)]

    def task(output: int) -> int:
        return subprocess.run(command, stdout=output).returncode

    return task


def _run_fenced(task: Task, expose: tuple[str, ...]) -> int:
    """Run a task as a lab's runner and copy what it writes to stdout; return its exit code."""
    fence = choose()
    toolbox = Toolbox(Backend.NFT, find_backend(Backend.NFT))
    root = RootPlan(toolbox, single_uid=fence.mode is Mode.SINGLE, expose=expose)
    launched = launch(fence, root, task)
    breakage = _copy_output(launched)
    _, status = os.waitpid(launched.pid, 0)
    if breakage:
        raise Broken(breakage)
    return os.waitstatus_to_exitcode(status)


def _copy_output(launched: Launched) -> str:
    """Copy the runner's lines as they come; return what it says of its own end, if it broke."""
    breakage = ""
    with os.fdopen(launched.events) as lines:
        for line in lines:
            if line.startswith('{"event": "broken"'):
                breakage = json.loads(line)["traceback"].rstrip("\n").rpartition("\n")[2]
            else:
                print(line, end="", flush=True)
    return breakage


if __name__ == "__main__":
    sys.exit(main())
