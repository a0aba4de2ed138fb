"""Where things stand, told the short way: paths from the current folder."""

from __future__ import annotations

import os


def current_folder() -> str:
    """The folder that paths are told from; "" where it has been removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def shown_place(place: str, folder: str) -> str:
    """Tell a ``path:line:column`` from ``folder`` where the path lies below it."""
    if not folder:
        return place
    return place.removeprefix(folder.rstrip(os.sep) + os.sep)
