"""A user who exists in private copies of the account files alone, with subordinate ids or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

FILES = ("passwd", "group", "subuid", "subgid")
# systemd's list of id ranges leaves 60578 to 61183 to nobody.
_IDS = range(60578, 61184)
_SUBORDINATE_BASE = 0x60000000
_SUBORDINATE_COUNT = 65536


@dataclass(frozen=True, slots=True)
class Account:
    """A user with a group of the same name and number."""

    name: str
    uid: int
    subordinate: bool

    @property
    def home(self) -> str:
        """Where the user's files live."""
        return f"/home/{self.name}"

    def lines(self) -> Mapping[str, str]:
        """What each account file says of the user (passwd(5), group(5), subuid(5))."""
        extent = f"{self.name}:{_SUBORDINATE_BASE}:{_SUBORDINATE_COUNT}\n"
        subordinate = extent if self.subordinate else ""
        return {
            "passwd": f"{self.name}:x:{self.uid}:{self.uid}::{self.home}:/bin/sh\n",
            "group": f"{self.name}:x:{self.uid}:\n",
            "subuid": subordinate,
            "subgid": subordinate,
        }


def free_id(folder: Path, taken: Iterable[int] = ()) -> int:
    """A number that no user and no group of the account files in ``folder`` has."""
    used = set(taken)
    for name in ("passwd", "group"):
        rows = (line.split(":") for line in (folder / name).read_text().splitlines())
        used |= {int(row[2]) for row in rows if len(row) > 2 and row[2].isdigit()}
    return next(number for number in _IDS if number not in used)


def enrol(account: Account, folder: Path) -> None:
    """Add the user to the account files in ``folder``."""
    for name, line in account.lines().items():
        path = folder / name
        before = path.read_text() if path.exists() else ""
        if before and not before.endswith("\n"):
            before += "\n"
        path.write_text(before + line)
