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


@contextlib.contextmanager
def namespaces(processes: Collection[int], besides: int) -> Iterator[frozenset[str]]:
    """The namespaces that processes are in or hold, such as ``net:[4026532008]``.

    Without those of process ``besides``, which are there anyway. They are held for the while:
    the kernel would give the number of one that is gone to the next that anybody makes.
    """
    familiar = {name for pid in (besides, os.getpid()) for name, _ in _held(pid)}
    theirs = {name: path for pid in processes for name, path in _held(pid)}
    with contextlib.ExitStack() as held:
        names = set()
        for name in theirs.keys() - familiar:
            with contextlib.suppress(OSError):
                descriptor = os.open(theirs[name], os.O_RDONLY | os.O_CLOEXEC)
                held.callback(os.close, descriptor)
                names.add(os.readlink(f"/proc/self/fd/{descriptor}"))
        yield frozenset(names)


def holders(wanted: Collection[str]) -> dict[int, str]:
    """Who else is in one of the namespaces or has a descriptor of it, and of which."""
    return {
        pid: name
        for pid in _living()
        if pid != os.getpid()
        for name, _ in _held(pid)
        if name in wanted
    }


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


def _held(pid: int) -> Iterator[tuple[str, Path]]:
    """The namespaces of a process and of its descriptors, with paths to open them by."""
    folder = Path("/proc", str(pid))
    for kind in _KINDS:
        path = folder / "ns" / kind
        with contextlib.suppress(OSError):
            yield os.readlink(path), path
    with contextlib.suppress(OSError):
        for descriptor in os.listdir(folder / "fd"):
            path = folder / "fd" / descriptor
            with contextlib.suppress(OSError):
                name = os.readlink(path)
                if name.partition(":")[0] in _KINDS:
                    yield name, path
