"""The mistakes found in one file so far, each at the place that it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from lab.model.errors import BadInput, Location, Mistake
from lab.spec.misfit import Misfit
from lab.spec.yaml_text import YamlNode

Path = tuple[str | int, ...]

P = ParamSpec("P")
T = TypeVar("T")


class Findings:
    """Collects mistakes, so that all of a file's are told in one go.

    A path leads from the file's topmost value to the value that is meant: ``("steps", 0, "on")``.
    What lies below ``elsewhere`` is not in the file: the file only refers to it, as to a
    topology's class. Its mistakes are told where the file does, with the path in the message.
    """

    def __init__(self, path: str, source: YamlNode, elsewhere: Path | None = None) -> None:
        self.path = path
        self.source = source
        self.elsewhere = elsewhere
        self.mistakes: list[Mistake] = []
        self._cut: set[Path] = set()

    def cut(self, path: Path) -> None:
        """Leave out a value that has a mistake, so that what is left can be read.

        That something above it is then incomplete is no mistake of its own.
        """
        self._cut.add(path)

    def lacks(self, *path: str | int) -> bool:
        """Whether a value was left out for its mistake."""
        return path in self._cut

    def location(self, path: Path) -> Location:
        """Where the value of a path stands."""
        node = self.source.find(path)
        return Location(self.path, node.line, node.column)

    def script_location(self, path: Path) -> Location:
        """Where the first line of a script stands: below its `|`."""
        node = self.source.find(path)
        if node.content_line == node.line or self._is_elsewhere(path):
            return Location(self.path, node.line, node.column)
        return Location(self.path, node.content_line, 1)

    def key_location(self, path: Path) -> Location:
        """Where the last key of a path stands."""
        if self._is_elsewhere(path):
            return self.location(path)
        return Location(self.path, *self.source.key_position(path))

    def text(self, path: Path) -> str:
        """How the scalar at a path is written; "" for anything else."""
        return "" if self._is_elsewhere(path) else self.source.find(path).text

    def at(self, path: Path, message: str, hint: str = "") -> None:
        """Note a mistake in the value of a path."""
        self._note(self.location(path), path, message, hint)

    def at_key(self, path: Path, message: str, hint: str = "") -> None:
        """Note a mistake in the last key of a path."""
        self._note(self.key_location(path), path, message, hint)

    def attempt(
        self, path: Path, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """What ``read`` returns; None, and a mistake noted, when it raises Misfit."""
        try:
            return read(*args, **kwargs)
        except Misfit as misfit:
            self.at(path, misfit.message, misfit.hint)
            return None

    def attempt_key(
        self, path: Path, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """As ``attempt``, for what is wrong with the last key of a path."""
        try:
            return read(*args, **kwargs)
        except Misfit as misfit:
            self.at_key(path, misfit.message, misfit.hint)
            return None

    def since(self, count: int) -> bool:
        """Whether more than ``count`` mistakes are noted."""
        return len(self.mistakes) > count

    def raise_if_any(self) -> None:
        """End the reading with BadInput if there is a mistake."""
        if self.mistakes:
            raise BadInput(self.mistakes)

    def _is_elsewhere(self, path: Path) -> bool:
        place = self.elsewhere
        return place is not None and path[: len(place)] == place and len(path) > len(place)

    def _note(self, location: Location, path: Path, message: str, hint: str) -> None:
        if any(cut[: len(path)] == path for cut in self._cut):
            return
        if self.elsewhere is not None and self._is_elsewhere(path):
            message = f"{_written(path[len(self.elsewhere) :])}: {message}"
        self.mistakes.append(Mistake(location, message, hint))


def _written(path: Path) -> str:
    """A path in words: ``nodes.router.routes[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
