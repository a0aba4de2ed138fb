"""Builds Topo classes in a process of its own, without the sandbox that `lab` puts around it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.spec.foreign_topo import Failure, failure

SECONDS = 5


def plain_loader(
    path: Path, class_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> str:
    """Describe a class of a Python file, as a ForeignLoader does."""
    request = {"path": str(path), "class": class_name, "args": args, "kwargs": kwargs}
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "lab.spec.foreign_topo"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    except subprocess.TimeoutExpired:
        return json.dumps(failure(Failure.TIMED_OUT, f"{SECONDS} s"))
    if ran.returncode:
        return json.dumps(failure(Failure.DIED, "it gave no answer"))
    return ran.stdout


def no_loader(path: Path, class_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """For scenarios that need no class of a user's file."""
    raise AssertionError(f"{path}:{class_name} was not to be loaded")
