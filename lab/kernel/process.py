"""What a process may do and when it dies: prctl(2), capabilities(7), limits."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Collection
from enum import IntEnum
from pathlib import Path

from lab.kernel.libc import call

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_PR_CAPBSET_DROP = 24


class Capability(IntEnum):
    """CAP_* of linux/capability.h, those that a node's commands lose."""

    SYS_MODULE = 16
    SYS_RAWIO = 17
    SYS_PTRACE = 19
    SYS_ADMIN = 21
    SYS_BOOT = 22
    SYS_TIME = 25
    MKNOD = 27


def die_with_parent() -> None:
    """Be killed when the thread that forked this process ends; cleared by changing credentials."""
    call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def set_dumpable() -> None:
    """Own /proc/self again after a change of uid, so that the id maps can be written."""
    call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)


def set_name(name: str) -> None:
    """Set the name that ps shows, cut to 15 bytes by the kernel."""
    call("prctl", _PR_SET_NAME, os.fsencode(name), 0, 0, 0)


def drop_from_bounding_set(capabilities: Collection[Capability]) -> None:
    """Take capabilities from the calling thread's future children, whatever they execute."""
    for capability in capabilities:
        call("prctl", _PR_CAPBSET_DROP, int(capability), 0, 0, 0)


def limit_processes(count: int) -> None:
    """Bound the number of processes of this user in this user namespace (RLIMIT_NPROC)."""
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    bound = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NPROC, (bound, bound))


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files to the hard one; a populated node holds six."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def forbid_core_dumps() -> None:
    """Leave no core file behind, whatever crashes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def prefer_as_oom_victim() -> None:
    """Have the kernel end a lab, not the user's desktop, when memory runs out (proc(5))."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        # a hardened /proc may refuse; then the lab is an ordinary candidate
        return


def close_descriptors_except(keep: Collection[int]) -> None:
    """Close every inherited descriptor but the standard three and ``keep``.

    A pipe's end left open in an unrelated child would keep its reader waiting for ever.
    """
    kept = {0, 1, 2, *keep}
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor not in kept:
            try:
                os.close(descriptor)
            except OSError:
                # the descriptor that listed the directory is gone by now
                continue
