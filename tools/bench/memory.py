"""How much memory a lab takes: what a process and all its descendants hold together.

Pages that several processes share count once, divided among them: the proportional set size, Pss in
/proc/PID/smaps_rollup (proc(5)). A page shared with a process outside the tree, such as another
Python's, counts in part, so that other work on the machine can only make the sum smaller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.model.errors import Broken


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """One process: its id, the name that the kernel knows it by, its proportional set size."""

    pid: int
    name: str
    pss_kib: int


def process_tree(root: int) -> list[int]:
    """Return the process ids of ``root`` and all its descendants, parents before children."""
    parents = _parents()
    tree = [root]
    for pid in tree:
        tree += sorted(child for child, parent in parents.items() if parent == pid)
    return tree


def command_of(pid: int) -> list[str]:
    """Return a process's command line, empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def weigh(pid: int) -> ProcessMemory | None:
    """Weigh one process; None if it has ended meanwhile, or is a zombie and holds nothing.

    Raises Broken if the kernel does not let this user see it.
    """
    try:
        name = Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError as error:
        raise Broken(f"process {pid} does not show its memory to this user") from error
    pss_kib = next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), None)
    return None if pss_kib is None else ProcessMemory(pid, name, pss_kib)


def _parents() -> Mapping[int, int]:
    """Return the parent of every process that can be seen, zombies included."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may itself hold brackets and spaces.
            after_name = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(stat.parent.name)] = int(after_name[1])
    return parents
