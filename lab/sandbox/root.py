"""The lab's root: the host's files read-only, private bounded tmpfs where a host writes.

Built by PID 1 in the outer user namespace. The inner one, entered afterwards, makes every mount
of this root a locked one: nothing inside can remount or unmount it (mount_namespaces(7)).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.kernel.mounts import (
    MountAttribute,
    MountFlag,
    attach_tree,
    clone_tree,
    make_private,
    map_ids,
    mount,
    pivot_into,
    set_attributes,
    tmpfs,
)
from lab.sandbox.toolbox import Toolbox, choose_alternatives, furnish

# Where a host writes; sizes bound what a runaway command can take.
_WRITABLE = {"/tmp": ("64m", 0o1777), "/run": ("16m", 0o755), "/var": ("64m", 0o755)}
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "net/tun")
_FOLDERS = ("run/lock", "run/netns", "var/lib", "var/log", "var/tmp", "var/spool", "var/cache")
# The old root is covered by this mount point of a tmpfs before it is left behind.
_STAGE = "/tmp"


@dataclass(frozen=True, slots=True)
class RootPlan:
    """What a lab's root shows beyond the system: ``expose`` are absolute paths, read-only.

    ``homes`` are the folders hidden because they hold somebody's files. ``single_uid`` has every
    name of passwd(5) and group(5) stand for id 0, the only one there is in that mode.
    """

    toolbox: Toolbox
    single_uid: bool = False
    expose: tuple[str, ...] = ()
    homes: tuple[str, ...] = ("/home", "/root")


@dataclass(frozen=True, slots=True)
class Clones:
    """Detached copies of what must stay visible: the exposed paths, and the test server."""

    exposed: Mapping[str, int]
    test_server: int | None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All of them."""
        server = () if self.test_server is None else (self.test_server,)
        return (*self.exposed.values(), *server)

    def give_to(self, user_namespace: int) -> None:
        """Have the owners of the files be those that the user namespace maps them to.

        On a file system that can't do that, the lab's root reads what everybody may read.
        """
        for descriptor in self.descriptors:
            with contextlib.suppress(OSError):
                map_ids(descriptor, user_namespace)

    def close(self) -> None:
        """Let go of them; another process that inherited them may still attach them."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def clone_exposed(plan: RootPlan) -> Clones:
    """Take detached read-only copies of the host's files that a plan shows.

    Host root does so before it gives uid 0 up, since its high-mapped successor cannot enter a
    private home.
    """
    server = plan.toolbox.test_server
    return Clones(
        exposed={path: clone_tree(path) for path in plan.expose},
        test_server=None if server is None else clone_tree(server),
    )


def build(plan: RootPlan, clones: Clones | None) -> None:
    """Build the root and move into it; the calling process is alone in its mount namespace.

    ``clones`` are those that host root took beforehand, None for anybody else.
    """
    make_private("/")
    if clones is None:
        clones = clone_exposed(plan)
    tmpfs(_STAGE, "4m")
    root = f"{_STAGE}/root"
    os.mkdir(root)
    mount("/", root, None, MountFlag.BIND | MountFlag.RECURSIVE)
    set_attributes(root, MountAttribute.READ_ONLY | MountAttribute.NOSUID)
    # a locked read-only /sys would forbid a new sysfs in a node; its files' owners protect it
    set_attributes(f"{root}/sys", MountAttribute.NONE, MountAttribute.READ_ONLY, recursive=False)
    for path, (size, mode) in _WRITABLE.items():
        tmpfs(root + path, size, mode, MountFlag.NODEV)
    for folder in _FOLDERS:
        os.makedirs(f"{root}/{folder}", exist_ok=True)
    os.symlink("/run", f"{root}/var/run")
    _hide_homes(root, plan.homes)
    for path in sorted(clones.exposed):
        _attach(clones.exposed[path], path, root)
    _devices(f"{root}/dev")
    _writable_etc(plan, root)
    furnish(plan.toolbox, root, clones.test_server)
    mount("proc", f"{root}/proc", "proc", MountFlag.NOSUID | MountFlag.NODEV | MountFlag.NOEXEC)
    pivot_into(root)


def _hide_homes(root: str, homes: Iterable[str]) -> None:
    for home in homes:
        if os.path.isdir(root + home):
            tmpfs(root + home, "1m", 0o755, MountFlag.NODEV)


def _attach(clone: int, path: str, root: str) -> None:
    """Attach a copy at its own path, making the way there where a tmpfs hides it."""
    target = Path(root + path)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.isdir(f"/proc/self/fd/{clone}"):
            target.mkdir()
        else:
            target.touch()
    attach_tree(clone, str(target))


def _devices(dev: str) -> None:
    tmpfs(dev, "1m", 0o755)
    for name in _DEVICES:
        if not os.path.exists(f"/dev/{name}"):
            continue
        target = Path(dev, name)
        target.parent.mkdir(exist_ok=True)
        target.touch()
        mount(f"/dev/{name}", str(target), None, MountFlag.BIND)
    for name in ("pts", "shm"):
        os.mkdir(f"{dev}/{name}")
    mount(
        "devpts",
        f"{dev}/pts",
        "devpts",
        MountFlag.NOSUID | MountFlag.NOEXEC,
        "newinstance,ptmxmode=0666,mode=620",
    )
    os.symlink("pts/ptmx", f"{dev}/ptmx")
    tmpfs(f"{dev}/shm", "64m", 0o1777, MountFlag.NODEV)
    os.symlink("/proc/self/fd", f"{dev}/fd")
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{descriptor}", f"{dev}/{name}")


def _writable_etc(plan: RootPlan, root: str) -> None:
    """Lay a tmpfs over /etc, so that a command may write there and the host never sees it."""
    upper, work = Path(_STAGE, "etc/upper"), Path(_STAGE, "etc/work")
    for folder in (upper, work):
        folder.mkdir(parents=True)
    choose_alternatives(plan.toolbox, upper)
    if plan.single_uid:
        for name in ("passwd", "group"):
            (upper / name).write_text(_everybody_root(Path("/etc", name).read_text()))
    try:
        _overlay_etc("/etc", upper, work, root)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        _overlay_etc(_copy_of_etc(), upper, work, root)


def _overlay_etc(lower: str, upper: Path, work: Path, root: str) -> None:
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    mount("overlay", f"{root}/etc", "overlay", MountFlag.NOSUID | MountFlag.NODEV, options)


def _copy_of_etc() -> str:
    """Copy what of /etc can be read, for hosts where no overlay can lie over the original.

    A container's /etc has files mounted into it (hosts, resolv.conf). In a user namespace they
    are locked, and clone_private_mount() of fs/namespace.c refuses to look below them.
    """
    copy = f"{_STAGE}/etc/lower"
    os.mkdir(copy)
    tmpfs(copy, "64m", 0o755, MountFlag.NODEV)
    # raised at the end, for what could not be read, when all else is copied
    with contextlib.suppress(shutil.Error):
        shutil.copytree("/etc", copy, symlinks=True, copy_function=shutil.copy, dirs_exist_ok=True)
    return copy


def _everybody_root(accounts: str) -> str:
    """Give every account of a passwd or group file the id 0, root's own line first."""
    rows = [line.split(":") for line in accounts.splitlines() if line.count(":") >= 3]
    for row in rows:
        row[2] = "0"
        if len(row) > 4:
            row[3] = "0"
    rows.sort(key=lambda row: row[0] != "root")
    return "".join(":".join(row) + "\n" for row in rows)
