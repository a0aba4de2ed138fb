"""The source compiles without a warning."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "tools" / "origdst" / "origdst.c"
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wpedantic", "-Wshadow")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("optimisation", ["-O0", "-O2", "-O3"])
def test_no_compiler_warns(compiler: str, optimisation: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")

    flags = ["-std=c11", *WARNINGS, optimisation, "-o", str(tmp_path / "origdst")]
    done = subprocess.run([compiler, *flags, SOURCE], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
