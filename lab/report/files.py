"""Output files that the user named: told at once if they cannot be written, never half written."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TextIO

from lab.model.errors import BadInput, Broken, Location, Mistake


def check_writable(path: str, option: str) -> None:
    """Make sure that a file can be made or replaced later; BadInput naming the option if not."""
    problem = _problem(path)
    if problem:
        raise BadInput([Mistake(Location(path), f"cannot write {option} FILE: {problem}")])


def _problem(path: str) -> str:
    """What keeps a file from being written, "" for nothing."""
    try:
        target = os.path.realpath(path)
    except OSError as error:
        return str(error.strerror)
    folder = os.path.dirname(target)
    if os.path.isdir(target):
        return "is a folder"
    if not os.path.isdir(folder):
        return f"there is no folder {folder}"
    if not os.access(folder if _replaceable(target) else target, os.W_OK):
        return "permission denied"
    return ""


def _replaceable(path: str) -> bool:
    """Whether a path is, or may become, a regular file; /dev/stdout and a FIFO are not."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return True


def open_lines(path: str, option: str, stdout: TextIO) -> TextIO:
    """Open a file, or ``stdout`` for ``-``, for lines of UTF-8 that are written as they come.

    BadInput naming the option where that fails. Closing it leaves standard output open.
    """
    try:
        if path == "-":
            return open(
                stdout.fileno(), "w", encoding="utf-8", errors="backslashreplace", closefd=False
            )
        return open(path, "w", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        problem = f"cannot write {option} FILE: {error.strerror}"
        raise BadInput([Mistake(Location(path), problem)]) from error


def replace_file(path: str, content: bytes) -> None:
    """Give a file a new content, so that a reader sees the old one or the new one and no other.

    A link is followed; what is no regular file is written to as it is. Broken on failure.
    """
    try:
        if not _replaceable(path):
            with open(path, "wb") as stream:
                stream.write(content)
            return
        target = os.path.realpath(path)
        draft = f"{target}.{os.getpid()}.tmp"
        try:
            with open(draft, "wb") as stream:
                stream.write(content)
            os.replace(draft, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise
    except OSError as error:
        raise Broken(f"cannot write {path}: {error.strerror}") from error
