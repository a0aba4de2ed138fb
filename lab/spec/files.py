"""The files that a scenario may read: those in its own folder, and those that it lists."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.spec.misfit import Misfit

# A scenario of a thousand steps is well below this.
LONGEST_FILE: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reachable:
    """``folder`` is the scenario's own, ``files`` what it lists besides; all absolute."""

    folder: Path
    files: tuple[Path, ...] = ()

    def absolute(self, text: str) -> Path:
        """The absolute path of what the scenario writes relative to its folder."""
        return Path(os.path.abspath(self.folder / text))

    def existing(self, text: str) -> Path:
        """The absolute path of something that exists, wherever it is; Misfit where it does not."""
        if "\0" in text:
            raise Misfit("a file's name has no NUL in it")
        path = self.absolute(text)
        if not os.path.lexists(path):
            raise Misfit(f"there is no file '{text}'")
        return path

    def find(self, text: str) -> Path:
        """The absolute path of a file that a step may read.

        Raises:
            Misfit: it lies outside, or there is no such file.
        """
        path = self.existing(text)
        real = Path(os.path.realpath(path))
        places = [Path(os.path.realpath(place)) for place in (self.folder, *self.files)]
        if not any(real.is_relative_to(place) for place in places):
            raise Misfit(
                f"'{text}' is outside the scenario's folder",
                "add it to 'files', or move it beside the scenario",
            )
        return path


def read_text(path: Path) -> str:
    """The text of a file, or Misfit with the reason why there is none."""
    if "\0" in str(path):
        raise Misfit("a file's name has no NUL in it")
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise Misfit("this is a folder, not a file")
        if not stat.S_ISREG(mode):
            raise Misfit("this is no ordinary file")
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise Misfit(f"cannot be read: {error.strerror}") from None
    if len(content) > LONGEST_FILE:
        raise Misfit(f"this has more than {LONGEST_FILE >> 20} MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Misfit(f"line {line} is not UTF-8") from None
