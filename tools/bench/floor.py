"""The least that the kernel needs for a star of hosts: star_floor.c, compiled."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab.model.errors import Broken, Missing

SOURCE = Path(__file__).with_name("star_floor.c")
# MAX_HOSTS of star_floor.c: a bridge takes no more ports.
MAX_HOSTS = 1023


def build_floor(folder: Path) -> Path:
    """Compile star_floor.c into ``folder`` and return the program's path.

    Raises Missing without a C compiler, Broken if it refuses the source.
    """
    if shutil.which("gcc") is None:
        raise Missing("gcc", "the floor is a C program", "apt-get install gcc libc6-dev")
    program = folder / "star_floor"
    done = subprocess.run(
        ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(SOURCE)],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise Broken(f"gcc refused {SOURCE}:\n{done.stderr}")
    return program
