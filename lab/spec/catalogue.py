"""What the arguments of a command mean: scenario files, folders of them, names of the catalogue."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.model.errors import BadInput, Location, Mistake
from lab.spec.bundled import bundled
from lab.spec.files import read_text
from lab.spec.misfit import Misfit, did_you_mean
from lab.spec.yaml_text import read_yaml

SUFFIX: Final = ".lab.yaml"

# How a mistake in an argument names its place.
_COMMAND: Final = Location("lab")


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A scenario of the catalogue, by what its file says about it."""

    name: str
    title: str
    article: str
    section: str
    path: Path


def find_scenarios(arguments: Iterable[str]) -> tuple[Path, ...]:
    """Find the files that arguments mean, each file once, in the arguments' order.

    Args:
        arguments: existing files; folders, which stand for every `*.lab.yaml` below them in the
            order of their paths; else names of the catalogue.

    Raises:
        BadInput: an argument means nothing; carries a mistake for each that does.
    """
    found: dict[str, Path] = {}
    mistakes: list[Mistake] = []
    for argument in arguments:
        try:
            for path in _find(argument):
                found.setdefault(os.path.realpath(path), path)
        except Misfit as misfit:
            mistakes.append(Mistake(_COMMAND, misfit.message, misfit.hint))
    if mistakes:
        raise BadInput(mistakes)
    return tuple(found.values())


def catalogue() -> tuple[CatalogueEntry, ...]:
    """The scenarios that ship with the package, by name."""
    paths = _scenarios_below(bundled("scenarios"))
    return tuple(sorted((_entry(path) for path in paths), key=lambda entry: entry.name))


def name_of_file(path: Path) -> str:
    """A scenario's name where it gives none: its file's, without `.lab.yaml`."""
    return path.name.removesuffix(SUFFIX)


def _find(argument: str) -> list[Path]:
    path = Path(argument)
    if "\0" in argument:
        raise Misfit("a file's name has no NUL in it")
    if path.is_dir():
        below = list(_scenarios_below(path))
        if not below:
            raise Misfit(f"there is no *{SUFFIX} in the folder '{argument}'")
        return below
    if os.path.lexists(path):
        return [path]
    if "/" in argument or path.suffix in (".yaml", ".yml"):
        raise Misfit(f"there is no file '{argument}'", _nearest_file(path))
    by_name = {name_of_file(file): file for file in _scenarios_below(bundled("scenarios"))}
    if argument not in by_name:
        hint = did_you_mean(argument, by_name)
        raise Misfit(
            f"no scenario is named '{argument}'",
            hint if hint.startswith("did") else "lab ls lists the catalogue",
        )
    return [by_name[argument]]


def _scenarios_below(folder: Path) -> Iterator[Path]:
    """Every scenario file below a folder; hidden folders are not looked into."""

    def refuse(error: OSError) -> None:
        raise Misfit(f"the folder '{error.filename}' cannot be read: {error.strerror}")

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(files) if name.endswith(SUFFIX))


def _nearest_file(path: Path) -> str:
    """A hint at a scenario beside the place where there is none."""
    try:
        names = [name for name in os.listdir(path.parent) if name.endswith((".yaml", ".yml"))]
    except OSError:
        return ""
    hint = did_you_mean(path.name, names)
    return hint if hint.startswith("did") else ""


def _entry(path: Path) -> CatalogueEntry:
    """What a scenario's head says; nothing, where it has mistakes."""
    try:
        head = read_yaml(_head(read_text(path)), str(path)).value
    except (BadInput, Misfit):
        head = None
    known = head if isinstance(head, dict) else {}
    article = known.get("article") if isinstance(known.get("article"), dict) else {}
    return CatalogueEntry(
        name=_text(known.get("name")) or name_of_file(path),
        title=_text(known.get("title")),
        article=_text(article.get("document")) if article else "",
        section=_text(article.get("section")) if article else "",
        path=path,
    )


def _head(text: str) -> str:
    """The lines before `steps:`, which are most of the file and say nothing about it."""
    lines = text.splitlines(keepends=True)
    end = next((index for index, line in enumerate(lines) if line.startswith("steps:")), None)
    return "".join(lines[:end])


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
