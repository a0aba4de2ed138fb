"""What processes are doing: running, waiting for a processor, or asleep (proc_pid_stat(5))."""

from __future__ import annotations

import os
from pathlib import Path

# Sleeping, idle, stopped, traced, zombie, dead. Not so R, which also waits for a processor, and
# D, which waits for a disk and will go on.
_ASLEEP = frozenset("SITtZX")


def others_asleep() -> bool:
    """Whether every thread that /proc shows, the calling process's own apart, is asleep.

    One that a packet or a pipe has woken is not, though on a busy machine it may not have run
    yet: the kernel changes its state as it wakes it (try_to_wake_up of kernel/sched/core.c).
    """
    own = str(os.getpid())
    return all(_is_asleep(pid) for pid in os.listdir("/proc") if pid.isdigit() and pid != own)


def _is_asleep(pid: str) -> bool:
    folder = Path("/proc", pid, "task")
    try:
        return all(_state(thread / "stat") in _ASLEEP for thread in folder.iterdir())
    except (FileNotFoundError, ProcessLookupError):
        # it has ended meanwhile
        return True


def _state(stat: Path) -> str:
    """The third field; the second is the name in parentheses, which may hold anything."""
    return stat.read_text(errors="replace").rpartition(")")[2].split()[0]
