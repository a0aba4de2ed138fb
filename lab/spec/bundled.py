"""Where the catalogue's files are: inside an installed wheel, or beside a checkout's package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lab.model.errors import Missing

PACKAGE: Final = Path(__file__).resolve().parent.parent
PLACE_IN_CHECKOUT: Final = {
    "topologies": "topologies",
    "scenarios": "scenarios",
    "origdst": "tools/origdst",
}


def bundled(kind: str, package: Path = PACKAGE) -> Path:
    """Find the folder of one kind of file that ships with the package.

    Args:
        kind: "topologies" and "scenarios" are the catalogue's two halves; "origdst" holds the C
            source of the test server.
        package: the folder of the `lab` package.

    Returns:
        An absolute path: `bundled/KIND` in the package where a wheel has put it, else the folder
        beside the package, as in a clone and in an editable install of one.

    Raises:
        KeyError: there is no such kind.
        Missing: the installation is incomplete.
    """
    places = [package / "bundled" / kind]
    beside = package.parent / PLACE_IN_CHECKOUT[kind]
    # Without its pyproject.toml, a folder beside the package is somebody else's: any
    # distribution may have put a "scenarios" into site-packages.
    if (package.parent / "pyproject.toml").is_file():
        places.append(beside)
    for place in places:
        if place.is_dir():
            return place
    raise Missing(
        f"the bundled {kind}",
        "this installation of natlab is incomplete: install it again from a whole checkout"
        f" (looked in {' and '.join(map(str, places))})",
    )
