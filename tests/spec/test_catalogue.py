from __future__ import annotations

from pathlib import Path

import pytest

from lab.model.errors import BadInput
from lab.spec.bundled import bundled
from lab.spec.catalogue import catalogue, find_scenarios
from lab.spec.scenario import load_scenario
from tests.spec.plain_loader import no_loader


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with some scenarios, hidden ones, and other files."""
    for name in ("b.lab.yaml", "a.lab.yaml", "sub/c.lab.yaml", ".hidden/d.lab.yaml", "e.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("title: x\n")
    (tmp_path / "folder.lab.yaml").mkdir()
    (tmp_path / "folder.lab.yaml" / "f.lab.yaml").write_text("title: x\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*arguments: str) -> list[str]:
    return [str(path) for path in find_scenarios(arguments)]


@pytest.mark.usefixtures("folder")
def test_a_folder_stands_for_every_scenario_below_it() -> None:
    assert found(".") == [
        "a.lab.yaml",
        "b.lab.yaml",
        "folder.lab.yaml/f.lab.yaml",
        "sub/c.lab.yaml",
    ]


@pytest.mark.usefixtures("folder")
def test_a_file_is_taken_whatever_its_name() -> None:
    assert found("e.yaml", ".hidden/d.lab.yaml") == ["e.yaml", ".hidden/d.lab.yaml"]


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_named_twice_is_found_once() -> None:
    assert found("sub", "sub/c.lab.yaml", "./sub/../sub/c.lab.yaml") == ["sub/c.lab.yaml"]


def test_a_name_of_the_catalogue(folder: Path) -> None:
    assert found("port-forward") == [str(bundled("scenarios") / "port-forward.lab.yaml")]
    (folder / "port-forward").mkdir()
    (folder / "port-forward" / "mine.lab.yaml").touch()
    assert found("port-forward") == ["port-forward/mine.lab.yaml"]


@pytest.mark.usefixtures("folder")
def test_a_dangling_link_is_found_and_told_by_its_reader() -> None:
    Path("dangling.lab.yaml").symlink_to("nowhere")
    (path,) = find_scenarios(["dangling.lab.yaml"])
    with pytest.raises(BadInput, match=r"dangling.lab.yaml: cannot be read: No such file"):
        load_scenario(path, no_loader)


def test_every_argument_that_means_nothing_is_told(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(BadInput) as caught:
        find_scenarios(["empty", "a.lab.yaml", "nowhere.lab.yaml", "\0"])
    assert [mistake.message for mistake in caught.value.mistakes] == [
        "there is no *.lab.yaml in the folder 'empty'",
        "there is no file 'nowhere.lab.yaml'",
        "a file's name has no NUL in it",
    ]


def test_the_catalogue_lists_what_the_scenarios_say() -> None:
    entries = {entry.name: entry for entry in catalogue()}
    assert list(entries) == sorted(entries)
    entry = entries["port-forward"]
    scenario = load_scenario(entry.path, no_loader)
    assert entry.title == scenario.title
    assert scenario.article is not None
    assert (entry.article, entry.section) == (scenario.article.document, scenario.article.section)


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.name)
def test_every_scenario_of_the_catalogue_can_be_read(entry: object) -> None:
    scenario = load_scenario(entry.path, no_loader)  # type: ignore[attr-defined]
    assert scenario.name == entry.name  # type: ignore[attr-defined]
    assert entry.path.name == f"{scenario.name}.lab.yaml"  # type: ignore[attr-defined]


def test_a_wrong_scenario_is_listed_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong.lab.yaml").write_text("title: [\nsteps:\n")
    (tmp_path / "odd.lab.yaml").write_text("title: 5\narticle: none\n")
    monkeypatch.setattr("lab.spec.catalogue.bundled", lambda kind: tmp_path)
    assert [(entry.name, entry.title) for entry in catalogue()] == [("odd", ""), ("wrong", "")]
