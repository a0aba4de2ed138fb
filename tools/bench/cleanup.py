"""When the kernel has destroyed the network namespaces that nobody holds any more.

It does so by itself, after the last descriptor is closed, in a worker thread of the workqueue
"netns" (cleanup_net in net/core/net_namespace.c). What is measured meanwhile is measured on a busy
machine: the worker takes turns with everybody else at the locks of the network stack.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from lab.model.errors import Broken, Missing

POLL_S = 0.003
# Between two batches of namespaces the worker is idle for a moment.
QUIET_S = 0.1
DEADLINE_S = 120.0


def wait_for_namespace_cleanup() -> float:
    """Wait until no namespace is being destroyed; return when that was, by time.monotonic().

    If none was being destroyed it is the time of the call. Raises Missing where the kernel's
    threads cannot be seen, as in a container, and Broken after two minutes.
    """
    started = last_busy = time.monotonic()
    while True:
        busy = _destroys_namespaces()
        now = time.monotonic()
        if busy:
            last_busy = now
        elif now - last_busy > QUIET_S:
            return last_busy
        if now - started > DEADLINE_S:
            raise Broken(
                f"the kernel has been destroying network namespaces for {DEADLINE_S:.0f} s: "
                "something else on this machine keeps making them"
            )
        time.sleep(POLL_S)


def _destroys_namespaces() -> bool:
    """Whether a worker is at it: its name then ends in "+netns" (wq_worker_comm in the kernel)."""
    workers = list(_worker_names())
    if not workers:
        raise Missing(
            "a view of the kernel's threads in /proc",
            "only there can be seen when the last run's namespaces are gone; "
            "a container hides them: measure outside",
        )
    return any(name.endswith("+netns") for name in workers)


def _worker_names() -> Iterator[str]:
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            name = comm.read_text().rstrip("\n")
        except OSError:
            continue
        if name.startswith("kworker/"):
            yield name
