"""Loads a user's Mininet Topo file in a sandbox: no network, no files but its folder, 5 seconds."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import lab
from lab.kernel.process import Capability, drop_from_bounding_set
from lab.model.scenario import Backend
from lab.run.exposure import root_plan, scenario_paths
from lab.sandbox.fence import choose
from lab.sandbox.launch import Launched, launch
from lab.spec.foreign_topo import LONGEST_DESCRIPTION, Failure, failure
from lab.steps.deadline import Deadline

_SECONDS = 5.0
_MEMORY_BYTES = 1 << 30
_CHUNK = 1 << 16


def load_topology(
    path: Path, class_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> str:
    """Describe ``class_name(*args, **kwargs)`` of a Python file, as JSON (a ForeignLoader)."""
    absolute = os.path.abspath(path)
    request = json.dumps(
        {"path": absolute, "class": class_name, "args": list(args), "kwargs": dict(kwargs)}
    ).encode()
    fence = choose()
    plan = root_plan(fence, Backend.NFT, scenario_paths(absolute, ()))
    started = launch(fence, plan, lambda answer: _describe(request, answer))
    try:
        return _answer(started, Deadline.after(_SECONDS))
    finally:
        with suppress(ProcessLookupError):
            os.kill(started.pid, signal.SIGKILL)
        os.waitpid(started.pid, 0)
        os.close(started.events)


def _describe(request: bytes, answer: int) -> int:
    """Run the describing module in a fresh interpreter that has lost its capabilities."""
    drop_from_bounding_set(tuple(Capability))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    # the interpreter is isolated from the environment, so it must be told where this package is
    place = str(Path(lab.__file__).resolve().parent.parent)
    code = (
        f"import sys; sys.path.insert(0, {place!r}); from lab.spec.foreign_topo import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code],
        input=request,
        stdout=answer,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return ended.returncode & 0xFF


def _answer(started: Launched, deadline: Deadline) -> str:
    said = bytearray()
    while len(said) <= LONGEST_DESCRIPTION:
        readable, _, _ = select.select([started.events], [], [], deadline.left)
        if not readable:
            return json.dumps(failure(Failure.TIMED_OUT, f"{_SECONDS:g} s"))
        chunk = os.read(started.events, _CHUNK)
        if not chunk:
            break
        said += chunk
    if not said:
        return json.dumps(failure(Failure.DIED, "it gave no answer"))
    return said.decode(errors="replace")
