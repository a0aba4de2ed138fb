"""A command that has one lab up and runs in it, line by line, what it is asked for.

Started by tests.sandbox.labs in the mode under test, with a recipe as its only argument. Requests
and answers are JSON lines on stdin and stdout.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

from lab.model.errors import LabError
from lab.model.scenario import Backend
from lab.model.topology import Interface, Kind, Link, Node, Route, Topology
from lab.sandbox import fence, launch
from lab.sandbox.fence import Mode
from lab.sandbox.lab import Lab
from lab.sandbox.root import RootPlan
from lab.sandbox.toolbox import Toolbox, find_backend


def _end(node: str, name: str, address: str) -> Interface:
    return Interface(node, name, (ip_interface(address),))


def _default(via: str) -> Route:
    return Route(ip_network("0.0.0.0/0"), ip_address(via))


_PAIR = Link(_end("a", "eth0", "10.0.0.1/24"), _end("b", "eth0", "10.0.0.2/24"))
_TWICE = Route(ip_network("10.9.0.0/16"), ip_address("10.0.0.2"))
TOPOLOGIES = {
    "pair": Topology("pair", (Node("a"), Node("b")), (_PAIR,)),
    "routed": Topology(
        "routed",
        (
            Node("a", routes=(_default("10.0.1.254"),)),
            Node("r", Kind.ROUTER),
            Node("b", routes=(_default("10.0.2.254"),)),
        ),
        (
            Link(_end("a", "eth0", "10.0.1.1/24"), _end("r", "eth0", "10.0.1.254/24")),
            Link(_end("b", "eth0", "10.0.2.1/24"), _end("r", "eth1", "10.0.2.254/24")),
        ),
    ),
    "refused": Topology("refused", (Node("a", routes=(_TWICE, _TWICE)), Node("b")), (_PAIR,)),
}


def main() -> int:
    """Launch the lab that the recipe describes; the exit code is its runner's."""
    recipe = json.loads(sys.argv[1])
    # an unlimited fork bomb would be a poor test of the limit
    launch._MAX_PROCESSES = recipe["processes"]
    chosen = fence.choose()
    backend = Backend(recipe["backend"])
    root = RootPlan(
        Toolbox(backend, find_backend(backend)),
        chosen.mode is Mode.SINGLE,
        (*recipe["expose"], *_python()),
    )
    try:
        launched = launch.launch(chosen, root, lambda events: _serve(recipe["topology"], events))
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    with os.fdopen(launched.events, "rb") as events:
        for line in events:
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
    _, status = os.waitpid(launched.pid, 0)
    return os.waitstatus_to_exitcode(status)


def _python() -> tuple[str, ...]:
    """Where this Python lives, if a lab's root would hide that."""
    hidden = ("/home/", "/root/", "/tmp/", "/var/")
    places = {os.path.realpath(place) for place in (sys.prefix, sys.base_prefix)}
    return tuple(sorted(place for place in places if place.startswith(hidden)))


def _serve(topology: str, events: int) -> int:
    """The runner: build the topology, then do what each line of stdin asks for."""
    try:
        lab = Lab(TOPOLOGIES[topology])
    except LabError as error:
        _tell(events, {"event": "refused", "text": str(error)})
        return error.exit_code
    _tell(events, {"event": "up"})
    for line in sys.stdin:
        _tell(events, _done(lab, json.loads(line)))
    lab.close()
    return 0


def _done(lab: Lab, request: Mapping[str, Any]) -> dict[str, object]:
    """Run a bash script in a node, or in the runner's own place for want of a node."""
    command = ["bash", "-c", request["script"]]
    if request["node"] is None:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    else:
        process = lab.spawn(request["node"], command)
    stdout, stderr = process.communicate()
    return {
        "exit": process.returncode,
        "stdout": stdout.decode(errors="replace"),
        "stderr": stderr.decode(errors="replace"),
    }


def _tell(events: int, message: Mapping[str, object]) -> None:
    line = (json.dumps(message) + "\n").encode()
    while line:
        line = line[os.write(events, line) :]


if __name__ == "__main__":
    sys.exit(main())
