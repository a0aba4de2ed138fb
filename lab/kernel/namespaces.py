"""Namespaces: make them, enter them, hold them by descriptor (namespaces(7))."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntFlag

from lab.kernel.libc import call


class Namespace(IntFlag):
    """CLONE_* of linux/sched.h; FS is not a namespace but what setns(mnt) needs unshared."""

    FS = 0x00000200
    MOUNT = 0x00020000
    CGROUP = 0x02000000
    UTS = 0x04000000
    IPC = 0x08000000
    USER = 0x10000000
    PID = 0x20000000
    NET = 0x40000000


_PROC_NAMES = {
    Namespace.MOUNT: "mnt",
    Namespace.UTS: "uts",
    Namespace.IPC: "ipc",
    Namespace.USER: "user",
    Namespace.PID: "pid",
    Namespace.NET: "net",
}


def unshare(kinds: Namespace) -> None:
    """Move the calling thread into new namespaces (unshare(2)); PID only for its next child."""
    call("unshare", int(kinds))


def setns(descriptor: int, kind: Namespace) -> None:
    """Move the calling thread into the namespace held by ``descriptor`` (setns(2))."""
    call("setns", descriptor, int(kind))


def hold(kind: Namespace, pid: int | None = None) -> int:
    """Open a descriptor that keeps a namespace alive: of process ``pid``, or of this thread."""
    who = "thread-self" if pid is None else str(pid)
    return os.open(f"/proc/{who}/ns/{_PROC_NAMES[kind]}", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def inside_net(descriptor: int, home: int) -> Iterator[None]:
    """Have the calling thread in a network namespace for a while, then back in ``home``.

    A socket opened meanwhile stays bound to that namespace, so nothing else need ever enter it.
    """
    setns(descriptor, Namespace.NET)
    try:
        yield
    finally:
        setns(home, Namespace.NET)
