"""The log of an internal error: what whoever mends it needs to know."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

from lab import __version__


def write_crash_log(error: Exception) -> str:
    """Write a traceback, the command line and the versions to a new file; returns its path.

    Raises OSError where neither the folder for logs nor that for temporary files takes it.
    """
    name = time.strftime("internal-error-%Y%m%d-%H%M%S-")
    try:
        folder = state_folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, path = tempfile.mkstemp(".log", name, folder)
    except OSError:
        descriptor, path = tempfile.mkstemp(".log", f"natlab-{name}")
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
        log.write(f"natlab {__version__}, Python {sys.version}\n")
        log.write(f"{platform.platform()}\n")
        log.write(f"command line: {sys.argv}\n\n")
        log.writelines(traceback.format_exception(error))
    return path


def state_folder() -> Path:
    """Where logs are kept: `natlab` in $XDG_STATE_HOME, by default ~/.local/state.

    XDG Base Directory Specification; it has relative paths ignored. Raises OSError where there is
    no home.
    """
    state = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):
        state = os.path.join(os.path.expanduser("~"), ".local", "state")
    if not os.path.isabs(state):
        raise FileNotFoundError("there is no home")
    return Path(state, "natlab")
