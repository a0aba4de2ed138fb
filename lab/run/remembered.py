"""Scenarios as they were read before: reading one anew takes longer than building its lab.

Validating a file means importing pydantic, ruamel.yaml and mininet, 150 ms together. What came of
it is kept in the cache folder and used again while nothing that it came from has changed.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import source_hash
from pathlib import Path

import lab
from lab.model.scenario import Scenario
from lab.sandbox.cache_folder import cache_folders, is_ours
from lab.spec.bundled import bundled

# A file larger than any sensible scenario is read anew each time.
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Memory:
    """A scenario, with the file's path and octets and the state of the code that read it."""

    path: str
    octets: bytes
    readers: tuple[tuple[str, int, int], ...]
    scenario: Scenario


def load(path: Path) -> Scenario:
    """Read a scenario, from memory if it is known; BadInput as ``load_scenario`` raises it."""
    octets = _octets(path)
    readers = _readers()
    file = f"scenario-{source_hash(os.path.abspath(path).encode()).hex()}"
    if octets is not None:
        for folder in cache_folders():
            known = _recall(folder / file, str(path), octets, readers)
            if known is not None:
                return known
    scenario = _read(path)
    if octets is not None and scenario.self_contained:
        _remember(file, _Memory(str(path), octets, readers, scenario))
    return scenario


def _read(path: Path) -> Scenario:
    from lab.run.foreign import load_topology
    from lab.spec.scenario import load_scenario

    return load_scenario(path, load_topology)


def _octets(path: Path) -> bytes | None:
    """The file's content; None where it is better left to the reader and its messages."""
    try:
        if path.is_file() and path.stat().st_size <= _MOST_BYTES:
            return path.read_bytes()
    except OSError:
        return None
    return None


def _readers() -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of every file of code that has a say in what a scenario means."""
    package = Path(lab.__file__).parent
    folders = (package / "spec", package / "model", bundled("topologies"))
    return tuple(sorted(state for folder in folders for state in _states(folder)))


def _states(folder: Path) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                status = entry.stat()
                yield entry.path, status.st_size, status.st_mtime_ns


def _recall(
    file: Path, path: str, octets: bytes, readers: tuple[tuple[str, int, int], ...]
) -> Scenario | None:
    """What the file remembers, if it is ours and of the same origin; anything odd is no memory."""
    if not (is_ours(file.parent) and is_ours(file)):
        return None
    try:
        memory = pickle.loads(file.read_bytes())
    except Exception:  # noqa: BLE001 -- whatever another version wrote there
        return None
    if not isinstance(memory, _Memory):
        return None
    same = (memory.path, memory.octets, memory.readers) == (path, octets, readers)
    return memory.scenario if same else None


def _remember(name: str, memory: _Memory) -> None:
    """Keep a memory in the first folder that takes it; where none does, nothing is lost."""
    for folder in cache_folders():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not is_ours(folder):
                continue
            fresh = folder / f"{name}.{os.getpid()}"
            fresh.write_bytes(pickle.dumps(memory))
            fresh.replace(folder / name)
        except OSError:
            continue
        return
