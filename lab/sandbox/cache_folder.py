"""Where things made once are kept between runs, and whether what lies there can be trusted."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path


def cache_folders(cache: Path | None = None) -> Iterator[Path]:
    """Where a cache may live, best place first; a variable with a relative path is ignored.

    ``cache`` is the folder for caches of all kinds, by default $XDG_CACHE_HOME or ~/.cache (XDG
    Base Directory Specification); a `natlab` folder is made in it.
    """
    base = str(cache.absolute()) if cache else os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.expanduser("~/.cache")
    if os.path.isabs(base):
        yield Path(base) / "natlab"
    temporary = os.environ.get("TMPDIR", "")
    yield Path(temporary if os.path.isabs(temporary) else "/tmp") / f"natlab-{os.geteuid()}"


def is_ours(path: Path) -> bool:
    """Whether nobody but us or root could have put there what we are about to use."""
    try:
        status = path.lstat()
    except OSError:
        return False
    owned = status.st_uid in (0, os.geteuid())
    return owned and not stat.S_ISLNK(status.st_mode) and not status.st_mode & stat.S_IWOTH
