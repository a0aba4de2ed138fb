"""What a lab has left behind: processes, and namespaces that anything still holds.

A lab's processes are found by a mark in their environment or command line, and by the namespaces
that they are in. A namespace without a process, a descriptor or a mount that holds it is gone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path

MARK = "LAB_TEST_MARK"
_KINDS = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")


def marked(mark: str) -> frozenset[int]:
    """The processes that carry a mark; not found are those of which the caller may read nothing."""
    return frozenset(pid for pid in _living() if _carries(pid, mark.encode()))


def namespaces(processes: Collection[int], besides: int) -> frozenset[str]:
    """The namespaces that processes are in or hold, such as ``net:[4026532008]``.

    Without those of process ``besides``, which are there anyway.
    """
    theirs = frozenset(link for pid in processes for link in _held(pid))
    return theirs - frozenset(_held(besides)) - frozenset(_held(os.getpid()))


def holders(wanted: Collection[str]) -> dict[int, str]:
    """The processes in or with a descriptor of one of the namespaces, and one for each."""
    found: dict[int, str] = {}
    for pid in _living():
        for link in _held(pid):
            if link in wanted:
                found[pid] = link
    return found


def bound(wanted: Collection[str]) -> list[str]:
    """The lines of this mount namespace where one of the namespaces is mounted."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if any(name in line for name in wanted)]


def _living() -> Iterator[int]:
    """All processes but zombies: of them nothing is left but a number that init has yet to read."""
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            # proc_pid_stat(5): the state follows the name, which is in parentheses
            if name.isdigit() and _state(name) not in "ZX":
                yield int(name)


def _state(pid: str) -> str:
    return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]


def _carries(pid: int, mark: bytes) -> bool:
    folder = Path("/proc", str(pid))
    with contextlib.suppress(OSError):
        return mark in (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
    return False


def _held(pid: int) -> Iterator[str]:
    folder = Path("/proc", str(pid))
    for kind in _KINDS:
        with contextlib.suppress(OSError):
            yield os.readlink(folder / "ns" / kind)
    with contextlib.suppress(OSError):
        for descriptor in os.listdir(folder / "fd"):
            with contextlib.suppress(OSError):
                link = os.readlink(folder / "fd" / descriptor)
                if link.partition(":")[0] in _KINDS:
                    yield link
