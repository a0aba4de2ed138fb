"""The fence: which host identities a lab's root and users stand for, and why it may be refused.

A lab lives in two nested user namespaces. The outer one is mapped here, in one of three modes;
host uid 0 is never mapped into a lab (user_namespaces(7)).
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lab.model.errors import Broken, LabError, Missing

_IDS = 65536
# Above every range that useradd hands out and below the 32-bit sign bit that some tools mind.
_ROOT_BASE = 0x70000000


class Mode(StrEnum):
    """How the ids inside a lab map to the host's."""

    ROOT = "root"
    SUBUID = "subuid"
    SINGLE = "single"


@dataclass(frozen=True, slots=True)
class Fence:
    """A mode with the lines of the outer and inner id maps, for users and for groups."""

    mode: Mode
    uid_map: tuple[tuple[int, int, int], ...]
    gid_map: tuple[tuple[int, int, int], ...]

    @property
    def inner_map(self) -> str:
        """The identity map of the inner namespace: one line for each extent of the outer one.

        A line may not span two extents of the parent's map (user_namespaces(7)).
        """
        return "".join(f"{inside} {inside} {count}\n" for inside, _, count in self.uid_map)


def choose() -> Fence:
    """Choose the mode that the invoking user can have."""
    uid, gid = os.getuid(), os.getgid()
    if uid == 0 and _is_host_root():
        whole = ((0, _ROOT_BASE, _IDS),)
        return Fence(Mode.ROOT, whole, whole)
    uids, gids = _subordinate("/etc/subuid", uid), _subordinate("/etc/subgid", uid)
    if uids is not None and gids is not None and shutil.which("newuidmap"):
        return Fence(
            Mode.SUBUID,
            ((0, uid, 1), (1, uids, _IDS - 1)),
            ((0, gid, 1), (1, gids, _IDS - 1)),
        )
    return Fence(Mode.SINGLE, ((0, uid, 1),), ((0, gid, 1),))


def write_maps(fence: Fence, pid: int) -> None:
    """Map the ids of process ``pid``'s new user namespace; Missing where newuidmap refuses."""
    if fence.mode is Mode.SUBUID:
        _with_newidmap(pid, fence)
        return
    if fence.mode is Mode.SINGLE:
        # an unprivileged writer must give setgroups(2) up before mapping a group
        Path(f"/proc/{pid}/setgroups").write_text("deny")
    Path(f"/proc/{pid}/uid_map").write_text(_lines(fence.uid_map))
    Path(f"/proc/{pid}/gid_map").write_text(_lines(fence.gid_map))


def write_inner_maps(fence: Fence, pid: int) -> None:
    """Write the inner namespace's identity maps; for a process left in the outer namespace."""
    try:
        Path(f"/proc/{pid}/uid_map").write_text(fence.inner_map)
        Path(f"/proc/{pid}/gid_map").write_text(fence.inner_map)
    except OSError as error:
        raise Broken(f"the lab's inner id map was refused: {error.strerror}") from error


def refusal(error_number: int) -> LabError:
    """Say why the kernel refused a user namespace, and how to allow it."""
    why = "labs live in user namespaces"
    if _setting("user/max_user_namespaces") == "0":
        return Missing(
            "user namespaces (user.max_user_namespaces=0)",
            why,
            "sudo sysctl -w user.max_user_namespaces=16384",
        )
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return Missing(
            "user namespaces (kernel.unprivileged_userns_clone=0)",
            why,
            "sudo sysctl -w kernel.unprivileged_userns_clone=1",
        )
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return Missing(
            "user namespaces (kernel.apparmor_restrict_unprivileged_userns=1)",
            why,
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        )
    if error_number == errno.ENOSPC:
        return Missing(
            "user namespaces (the limit of namespaces or of their nesting is reached)",
            why,
            "sysctl user.max_user_namespaces",
        )
    return Missing(
        f"user namespaces ({os.strerror(error_number)})",
        f"{why}; a container's seccomp profile or a security module refuses them",
        "docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined …",
    )


def _is_host_root() -> bool:
    """Whether uid 0 is the machine's own: root of a user namespace can't map high ids."""
    extent = Path("/proc/self/uid_map").read_text().split()
    return extent == ["0", "0", "4294967295"]


def _subordinate(path: str, uid: int) -> int | None:
    """The start of the user's first range of 65,536 ids in subuid(5) or subgid(5)."""
    try:
        names = {pwd.getpwuid(uid).pw_name, str(uid)}
    except KeyError:
        names = {str(uid)}
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        owner, _, extent = line.strip().partition(":")
        start, _, count = extent.partition(":")
        if owner in names and start.isdigit() and count.isdigit() and int(count) >= _IDS:
            return int(start)
    return None


def _with_newidmap(pid: int, fence: Fence) -> None:
    """Have the setuid tools of newuidmap(1) write both maps, side by side."""
    running = []
    for tool, extents in (("newuidmap", fence.uid_map), ("newgidmap", fence.gid_map)):
        numbers = [str(number) for extent in extents for number in extent]
        running.append(subprocess.Popen([tool, str(pid), *numbers], stderr=subprocess.PIPE))
    for process in running:
        _, complaint = process.communicate()
        if process.returncode:
            raise Missing(
                "subordinate ids",
                complaint.decode(errors="replace").strip(),
                "sudo apt-get install --reinstall uidmap",
            )


def _lines(extents: tuple[tuple[int, int, int], ...]) -> str:
    return "".join(f"{inside} {outside} {count}\n" for inside, outside, count in extents)


def _setting(key: str) -> str | None:
    try:
        return Path("/proc/sys", key).read_text().strip()
    except OSError:
        return None
