"""The catalogue's files are found wherever the package was installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.model.errors import ExitCode, Missing
from lab.spec.bundled import bundled

KINDS = ("topologies", "scenarios", "origdst")


def folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_wheel_carries_them_inside_the_package(tmp_path: Path, kind: str) -> None:
    package = folder(tmp_path / "site-packages" / "lab")
    inside = folder(package / "bundled" / kind)

    assert bundled(kind, package) == inside


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkout_has_them_beside_the_package(tmp_path: Path, kind: str) -> None:
    package = folder(tmp_path / "lab")
    (tmp_path / "pyproject.toml").touch()
    beside = folder(tmp_path / ("tools/origdst" if kind == "origdst" else kind))

    assert bundled(kind, package) == beside


def test_a_strangers_folder_in_site_packages_is_not_ours(tmp_path: Path) -> None:
    package = folder(tmp_path / "site-packages" / "lab")
    folder(tmp_path / "site-packages" / "scenarios")

    with pytest.raises(Missing):
        bundled("scenarios", package)


def test_an_incomplete_installation_says_where_it_looked(tmp_path: Path) -> None:
    package = folder(tmp_path / "lab")
    (tmp_path / "pyproject.toml").touch()

    with pytest.raises(Missing) as incomplete:
        bundled("origdst", package)

    assert incomplete.value.exit_code == ExitCode.MISSING
    assert str(package / "bundled" / "origdst") in str(incomplete.value)
    assert str(tmp_path / "tools" / "origdst") in str(incomplete.value)


def test_no_other_kind_is_bundled() -> None:
    with pytest.raises(KeyError, match="recipes"):
        bundled("recipes")
