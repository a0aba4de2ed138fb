"""A lab that is up, as the runner inside the sandbox sees it: nodes, their processes, sockets."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lab.model.topology import Topology
from lab.plan.planner import plan
from lab.sandbox import toolbox
from lab.sandbox.inhabit import Inhabited, inhabit
from lab.sandbox.network import Network
from lab.sandbox.spawner import Spawner, Stream

_ENVIRONMENT = {
    "PATH": toolbox.PATH,
    "HOME": "/root",
    "TERM": "dumb",
    # the tools' own words, not a translation of them
    "LC_ALL": "C.UTF-8",
}


class Lab:
    """A topology that is up. For the runner's main thread only."""

    def __init__(self, topology: Topology, cwd: str = "/") -> None:
        """Build the topology; ``cwd`` is where commands start. Broken if the kernel refuses."""
        self.topology = topology
        self._cwd = cwd
        self._network = Network()
        self._network.build(plan(topology))
        self._inhabited: dict[str, Inhabited] = {}
        self._spawner: Spawner | None = None

    @contextmanager
    def network_of(self, node: str) -> Iterator[None]:
        """Have this thread in a node's network namespace, to open sockets or read /proc/net."""
        with self._network.inside(node):
            yield

    def spawn(
        self,
        node: str,
        command: Sequence[str],
        *,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = subprocess.PIPE,
        stderr: Stream = subprocess.PIPE,
        pass_fds: Sequence[int] = (),
        extra_environment: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program in a node."""
        inhabited = self._inhabitant(node)
        if self._spawner is None:
            self._spawner = Spawner()
        return self._spawner.spawn(
            inhabited,
            command,
            cwd=self._cwd,
            environment={**_ENVIRONMENT, **(extra_environment or {})},
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=pass_fds,
        )

    def close(self) -> None:
        """Let go of everything; the kernel ends what still runs when the sandbox goes."""
        if self._spawner is not None:
            self._spawner.stop()
        self._network.close()

    def _inhabitant(self, node: str) -> Inhabited:
        known = self._inhabited.get(node)
        if known is None:
            addresses = tuple(str(address) for address in self.topology.addresses(node))
            known = inhabit(node, self._network.namespaces[node], addresses)
            self._inhabited[node] = known
        return known
