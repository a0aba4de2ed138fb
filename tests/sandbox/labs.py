"""Labs that are up, each under a command of its own in the mode under test."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.modes.invoker import Invoker

DEADLINE = 60.0  # seconds: far more than anything here takes, even on a busy machine


@dataclass(frozen=True, slots=True)
class Done:
    """How a script ended and what it wrote."""

    exit: int
    stdout: str
    stderr: str


class RunningLab:
    """A lab of tests.sandbox.driver."""

    def __init__(
        self,
        invoker: Invoker,
        topology: str = "pair",
        *,
        backend: str = "nft",
        expose: Sequence[str] = (),
        processes: int = 4096,
        environment: Mapping[str, str] | None = None,
        after: str = "",
    ) -> None:
        """Start the command, after shell lines if any; `first` is the line that it begins with."""
        recipe = {
            "topology": topology,
            "backend": backend,
            "expose": [*expose],
            "processes": processes,
        }
        self.invoker = invoker
        command = invoker.python("-m", "tests.sandbox.driver", json.dumps(recipe))
        self.process = invoker.start(
            ["sh", "-c", f'{after}\nexec "$@"', "sh", *command],
            stdin=subprocess.PIPE,
            environment=environment,
        )
        self.first = self._answer()

    def run(self, node: str | None, script: str) -> Done:
        """Run a bash script in a node; without a node, where the runner itself is."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"node": node, "script": script}) + "\n")
        self.process.stdin.flush()
        return Done(**self._answer())

    def output(self, node: str | None, script: str) -> str:
        """Run a script that must succeed, and return what it wrote to stdout, stripped."""
        done = self.run(node, script)
        assert done.exit == 0, f"{script}: exit {done.exit}: {done.stderr}"
        return done.stdout.strip()

    def end(self) -> int:
        """End the lab by ending its requests; the command's exit code."""
        try:
            self.process.communicate(timeout=DEADLINE)
        finally:
            self.process.kill()
            self.process.wait()
        return self.process.returncode

    def _answer(self) -> dict[str, Any]:
        """The next line. One is never sent before the one before was asked for."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            _, complaint = self.process.communicate()
            raise AssertionError(f"no answer from the lab: {complaint}")
        answer: dict[str, Any] = json.loads(line)
        if answer.get("event") == "broken":
            self.end()
            raise AssertionError(answer["traceback"])
        return answer


def children(process: int) -> list[int]:
    """The children of a process's main thread (proc_tid_children(5))."""
    return [
        int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]
