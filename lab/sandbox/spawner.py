"""Starting processes in nodes, from one thread that hops between their namespaces."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from lab.kernel.namespaces import Namespace, unshare
from lab.kernel.process import Capability, drop_from_bounding_set
from lab.sandbox.inhabit import Inhabited

# A root that keeps these could mount a tmpfs of any size, or reach into the node's init.
_DROPPED = tuple(Capability)

Stream = int | IO[bytes] | None


class Spawner:
    """A thread that enters a node and starts a program there.

    It loses the dropped capabilities once, and every child inherits that. Having been in a
    node's PID namespace it can start no thread, so nothing else may run in it.
    """

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="spawner", daemon=True)
        self._thread.start()

    def spawn(
        self,
        node: Inhabited,
        command: Sequence[str],
        *,
        cwd: str,
        environment: Mapping[str, str],
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = subprocess.PIPE,
        stderr: Stream = subprocess.PIPE,
        pass_fds: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Start ``command`` in a node, in a session of its own; OSError as Popen raises it."""
        answer: queue.SimpleQueue[subprocess.Popen[bytes] | BaseException] = queue.SimpleQueue()

        def start() -> None:
            try:
                node.enter()
                answer.put(
                    subprocess.Popen(
                        command,
                        cwd=cwd,
                        env=environment,
                        stdin=stdin,
                        stdout=stdout,
                        stderr=stderr,
                        pass_fds=pass_fds,
                        start_new_session=True,
                    )
                )
            except BaseException as error:  # noqa: BLE001 -- handed to the thread that waits
                answer.put(error)

        self._requests.put(start)
        started = answer.get()
        if isinstance(started, BaseException):
            raise started
        return started

    def stop(self) -> None:
        """End the thread; what it started lives on until its node goes."""
        self._requests.put(None)
        self._thread.join()

    def _serve(self) -> None:
        # entering a mount namespace needs a root and working directory of one's own
        unshare(Namespace.FS)
        drop_from_bounding_set(_DROPPED)
        while (request := self._requests.get()) is not None:
            request()
