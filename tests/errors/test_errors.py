"""Every mistake that a user can make has one file here, NAME.lab.yaml, and the exact message that
it must give, NAME.log.

`UPDATE_ERRORS=1 pytest tests/errors` writes the messages anew, to be read before they are
committed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.model.errors import BadInput, Missing
from lab.run.foreign import load_topology
from lab.spec.catalogue import find_scenarios
from lab.spec.scenario import load_scenario
from tests.spec.plain_loader import plain_loader

HERE = Path(__file__).parent
SUFFIX = ".lab.yaml"
FILES = sorted(path.name.removesuffix(SUFFIX) for path in HERE.glob(f"*{SUFFIX}"))
ARGUMENTS = {
    "argument-unknown-name": ["port-forwad"],
    "argument-nothing-like-it": ["xyzzy"],
    "argument-file-missing": ["unknown-nod.lab.yaml"],
    "argument-file-missing-in-folder": ["nowhere/file.lab.yaml"],
    "argument-folder-without-scenario": ["topologies"],
    "argument-several": ["port-forwad", "topologies", "unknown-key.lab.yaml"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this folder, with those files that tools had better not find in a project."""
    copy = tmp_path_factory.mktemp("mistakes") / "errors"
    shutil.copytree(HERE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.log"))
    for text in (copy / "topologies").glob("*.py.txt"):
        text.rename(text.with_suffix(""))
    (copy.parent / "outside.py").write_text("")
    (copy / "folder.lab.yaml").mkdir()
    return copy


def messages(read: Callable[[], object]) -> str:
    """What the user is told."""
    with pytest.raises(BadInput) as caught:
        read()
    return f"{caught.value}\n"


def compare(name: str, told: str) -> None:
    """Compare what the user is told with the file that says what it must be."""
    golden = HERE / f"{name}.log"
    if os.environ.get("UPDATE_ERRORS"):
        golden.write_text(told)
    assert told == golden.read_text()


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_file_is_told_all_its_mistakes(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    compare(name, messages(lambda: load_scenario(Path(f"{name}{SUFFIX}"), plain_loader)))


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("topo-")])
def test_a_wrong_class_is_told_its_mistakes_behind_the_fence(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    try:
        told = messages(lambda: load_scenario(Path(f"{name}{SUFFIX}"), load_topology))
    except Missing as missing:
        pytest.skip(str(missing))
    compare(name, told)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_wrong_argument_is_told_what_there_is(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    compare(name, messages(lambda: find_scenarios(ARGUMENTS[name])))


@pytest.mark.parametrize("name", ["folder.lab.yaml", "/proc/self/mem", "/dev/null"])
def test_what_is_no_readable_file_is_told_so(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    golden = f"unreadable-{name.strip('/').replace('/', '-').removesuffix(SUFFIX)}"
    compare(golden, messages(lambda: load_scenario(Path(name), plain_loader)))


def test_a_file_of_somebody_else_is_told_to_be_unreadable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    secret = Path("secret.lab.yaml")
    secret.write_text("name: secret\n")
    secret.chmod(0)
    user = os.geteuid()
    if user == 0:
        # Root may read everything; in its place asks nobody.
        os.seteuid(65534)
    try:
        told = messages(lambda: load_scenario(secret, plain_loader))
    finally:
        os.seteuid(user)
    compare("unreadable-secret", told)


def test_every_message_belongs_to_a_mistake() -> None:
    names = {path.stem for path in HERE.glob("*.log")}
    unreadable = {name for name in names if name.startswith("unreadable-")}
    assert names - unreadable == {*FILES, *ARGUMENTS}
