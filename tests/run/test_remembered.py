"""Scenarios that were read before."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.model.errors import BadInput
from lab.run.remembered import load

TEXT = """\
topology: single-nic
steps:
  - name: A speaks to B
    ping: {from: a, to: b}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return tmp_path / "cache" / "natlab"


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "speak.lab.yaml"
    path.write_text(TEXT)
    return path


def read_anew(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which scenarios are read from their files from now on."""
    from lab.run import remembered

    read: list[Path] = []
    original = remembered._read

    def counting(path: Path):
        read.append(path)
        return original(path)

    monkeypatch.setattr(remembered, "_read", counting)
    return read


def test_the_second_time_the_file_is_not_parsed(
    scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = read_anew(monkeypatch)
    first = load(scenario)
    assert load(scenario) == first
    assert read == [scenario]


def test_a_changed_file_is_read_anew(scenario: Path) -> None:
    load(scenario)
    scenario.write_text(TEXT.replace("A speaks to B", "B hears A"))
    assert load(scenario).steps[0].name == "B hears A"


def test_a_file_that_became_wrong_is_told(scenario: Path) -> None:
    load(scenario)
    scenario.write_text(TEXT.replace("single-nic", "nosuch"))
    with pytest.raises(BadInput):
        load(scenario)


def test_a_scenario_that_refers_to_other_files_is_read_anew(
    scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules"
    rules.write_text("*filter\nCOMMIT\n")
    scenario.write_text(
        "topology: single-nic\nsteps:\n  - {name: the rules, on: a, restore: {file: rules}}\n"
    )
    read = read_anew(monkeypatch)
    load(scenario)
    load(scenario)
    assert len(read) == 2


def test_a_memory_of_another_version_is_none(
    scenario: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(scenario)
    for memory in cache.iterdir():
        memory.write_bytes(b"not a pickle")
    read = read_anew(monkeypatch)
    load(scenario)
    assert read == [scenario]


def test_a_memory_that_others_may_write_is_not_trusted(
    scenario: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(scenario)
    for memory in cache.iterdir():
        memory.chmod(0o666)
    read = read_anew(monkeypatch)
    load(scenario)
    assert read == [scenario]


def test_mistakes_name_the_file_as_it_was_given(
    scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    load(scenario)
    assert load(Path(scenario.name)).steps[0].location.path == scenario.name
