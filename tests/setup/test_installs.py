"""The package works however it was installed, with its catalogue, far from any checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .conftest import Shell

pytestmark = pytest.mark.slow

BUNDLED = """
import json
from lab.spec.bundled import bundled
print(json.dumps({kind: str(bundled(kind)) for kind in ("topologies", "scenarios", "origdst")}))
"""
IMPORT_EVERYTHING = """
import importlib, pkgutil, lab
for module in pkgutil.walk_packages(lab.__path__, "lab."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


@dataclass(frozen=True)
class Installed:
    """An installation: the folder that it came to lie in, and how its `lab` and Python are run."""

    folder: Path
    python: Path
    lab: tuple[str, ...]
    environ: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module", params=["wheel", "editable", "clone"])
def installed(
    request: pytest.FixtureRequest,
    clone: Path,
    shell: Shell,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installed]:
    form = request.param
    environment = environment_with_our_dependencies(tmp_path_factory.mktemp(form))
    python = environment / "bin" / "python"
    installed_lab = (str(environment / "bin" / "lab"),)
    if form == "wheel":
        install(shell, python, str(wheel_of(clone, shell, environment)))
        away = clone.rename(clone.with_name("out of the way"))
        yield Installed(environment, python, installed_lab)
        away.rename(clone)
    elif form == "editable":
        install(shell, python, "--editable", str(clone))
        yield Installed(clone, python, installed_lab)
    else:
        on_path = {"PYTHONPATH": str(clone)}
        yield Installed(clone, python, (str(python), "-m", "lab"), on_path)


def environment_with_our_dependencies(folder: Path) -> Path:
    """Make an environment that sees what this one imports, but not its natlab."""
    venv.create(folder, with_pip=False)
    site = sysconfig.get_path("purelib", "venv", {"base": str(folder)})
    # Python does not follow the .pth files in such a folder: an editable natlab there is unseen.
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def pip(shell: Shell, *arguments: str) -> None:
    result = shell.run(sys.executable, "-m", "pip", *arguments)
    assert result.returncode == 0, result.stderr


OFFLINE = ("--no-deps", "--no-index", "--no-build-isolation")


def install(shell: Shell, python: Path, *what: str) -> None:
    pip(shell, "--python", str(python), "install", "--ignore-installed", *OFFLINE, *what)


def wheel_of(source: Path, shell: Shell, folder: Path) -> Path:
    pytest.importorskip("hatchling", reason="building a wheel takes hatchling")
    pip(shell, "wheel", "--wheel-dir", str(folder / "dist"), *OFFLINE, str(source))
    (wheel,) = folder.glob("dist/*.whl")
    return wheel


def test_the_command_runs(installed: Installed, shell: Shell) -> None:
    result = shell.run(*installed.lab, "--help", **installed.environ)

    assert result.returncode == 0, result.stderr
    assert "usage" in result.stdout.lower()


def test_the_catalogue_is_found(installed: Installed, shell: Shell) -> None:
    result = shell.run(installed.python, "-c", BUNDLED, **installed.environ)
    assert result.returncode == 0, result.stderr

    folders = {kind: Path(folder) for kind, folder in json.loads(result.stdout).items()}

    assert all(folder.is_relative_to(installed.folder) for folder in folders.values()), folders
    assert list(folders["topologies"].glob("*.py"))
    assert list(folders["scenarios"].glob("*.lab.yaml"))
    assert (folders["origdst"] / "origdst.c").is_file()


def test_a_source_distribution_makes_the_same_wheel(
    clone: Path, shell: Shell, tmp_path: Path
) -> None:
    from_checkout = wheel_of(clone, shell, tmp_path / "checkout")
    build = (sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory")
    subprocess.run([*build, tmp_path], cwd=clone, check=True, capture_output=True)
    (source,) = tmp_path.glob("*.tar.gz")

    from_source = wheel_of(source, shell, tmp_path / "source")

    assert contents(from_source) == contents(from_checkout)


def contents(wheel: Path) -> dict[str, int]:
    with zipfile.ZipFile(wheel) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist()}


@pytest.fixture(scope="module")
def python_3_13(shell: Shell) -> Path:
    """Find a Python 3.13 in PATH, or one that pyenv or uv keeps."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    uv = Path("~/.local/share/uv").expanduser()
    in_path = shutil.which("python3.13")
    candidates = [
        *([Path(in_path)] if in_path else []),
        *pyenv.glob("versions/3.13*/bin/python3.13"),
        *uv.glob("python/cpython-3.13*/bin/python3.13"),
    ]
    for candidate in candidates:
        if shell.run(candidate, "-c", "import ensurepip").returncode == 0:
            return candidate
    pytest.skip("no Python 3.13 here")


@pytest.mark.usefixtures("package_index")
def test_every_module_imports_on_python_3_13(
    python_3_13: Path, clone: Path, shell: Shell, tmp_path: Path
) -> None:
    subprocess.run([python_3_13, "-m", "venv", tmp_path], check=True)
    python = tmp_path / "bin" / "python"
    # pytest is no dependency, but whoever uses the plugin has it.
    result = shell.run(python, "-m", "pip", "install", "--quiet", clone, "pytest")
    assert result.returncode == 0, result.stderr

    result = shell.run(python, "-W", "error", "-c", IMPORT_EVERYTHING)

    assert result.returncode == 0, result.stderr
