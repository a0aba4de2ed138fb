"""A clone of this checkout, as a newcomer has it, with nothing set up yet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
NOT_CLONED = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "build", "dist"
)


@dataclass(frozen=True)
class Shell:
    """A user's shell: its commands start in / with an empty stdin."""

    environ: Mapping[str, str]

    def start(self, *command: str | Path, **environ: str) -> subprocess.Popen[str]:
        """Start a command that leads a process group of its own."""
        return subprocess.Popen(
            command,
            cwd="/",
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def run(self, *command: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*command, **environ)
        stdout, stderr = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


@pytest.fixture(scope="session")
def shell() -> Shell:
    ours = ("LAB_VENV", "PYTEST_", "PYTHON", "VIRTUAL_ENV")
    return Shell({name: os.environ[name] for name in os.environ if not name.startswith(ours)})


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clones") / "my natlab"
    shutil.copytree(CHECKOUT, path, symlinks=True, ignore=NOT_CLONED)
    return path


@pytest.fixture(scope="session")
def package_index(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip what must download Python packages, where that cannot be done."""
    folder = str(tmp_path_factory.mktemp("download"))
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--retries", "0")
    if shell.run(*pip, "--no-deps", "--no-cache-dir", "--dest", folder, "hatchling").returncode:
        pytest.skip("no Python package index within reach")
