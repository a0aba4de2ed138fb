"""A small lab held open for as long as somebody looks at it."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.model.errors import Broken
from tools.bench.memory import command_of, process_tree

DEADLINE_S = 30.0
POLL_S = 0.01

# Once this command runs, everything that a small lab needs is up.
WAITING = ["sleep", "597"]
SCENARIO = f"""\
name: held
title: A client and a server on one switch, waiting to be looked at
matrix: {{iptables: nft}}
topology:
  nodes:
    client: {{}}
    server: {{}}
    lan: {{kind: switch}}
  links:
    - endpoints: ["client:eth0", "lan"]
      ipv4: 192.168.1.2/24
    - endpoints: ["server:eth0", "lan"]
      ipv4: 192.168.1.3/24
steps:
  - on: server
    serve: {{tcp: 80}}
  - name: the client waits
    on: client
    run: {" ".join(WAITING)}
    timeout: 600
"""


@contextmanager
def held_lab(lab: Path) -> Iterator[int]:
    """Run a scenario whose last step waits; give the process id of its `lab run`, then end it.

    Raises Broken, with what `lab run` said, if that step does not come to run.
    """
    with tempfile.TemporaryDirectory(prefix="held-") as folder:
        scenario = Path(folder, "held.lab.yaml")
        scenario.write_text(SCENARIO)
        with Path(folder, "output").open("w+") as output:
            run = subprocess.Popen([lab, "run", scenario], stdout=output, stderr=output)
            try:
                if not _comes_to_wait(run):
                    output.seek(0)
                    raise Broken(f"the lab to weigh did not come up:\n{output.read()}")
                yield run.pid
            finally:
                _end(run)


def _comes_to_wait(run: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + DEADLINE_S
    while run.poll() is None and time.monotonic() < deadline:
        if any(command_of(pid) == WAITING for pid in process_tree(run.pid)):
            return True
        time.sleep(POLL_S)
    return False


def _end(run: subprocess.Popen[bytes]) -> None:
    run.terminate()
    try:
        run.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()
