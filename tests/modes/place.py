"""A mount namespace with homes and temporary folders of its own, where a test user may exist.

Whatever runs there sees the machine's own system, the checkout and its Python, and nobody's
files. It ends with the last descriptor or process that holds it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from lab.kernel.libc import call
from lab.kernel.mounts import (
    MountFlag,
    attach_tree,
    clone_tree,
    make_private,
    mount,
    tmpfs,
)
from lab.kernel.namespaces import Namespace, hold, unshare
from tests.modes.accounts import Account, enrol

CHECKOUT = Path(__file__).resolve().parents[2]
_MASKED = {
    "/dev/shm": 0o1777,
    "/home": 0o755,
    "/root": 0o700,
    "/run": 0o755,
    "/tmp": 0o1777,
    "/var/tmp": 0o1777,
}


def make_place(account: Account | None) -> int:
    """Make the mount namespace, with ``account`` in its account files; its descriptor.

    Raises:
        OSError: the caller may not make mount namespaces, or not mount in them.
    """
    made, child_made = os.pipe()
    release, child_release = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(made)
        os.close(child_release)
        _furnish_and_wait(account, child_made, release)
    os.close(child_made)
    os.close(release)
    try:
        with os.fdopen(made, "rb") as pipe:
            report = pipe.read()
        if report != b"made":
            raise OSError(0, report.decode() or "the process that made it died")
        return hold(Namespace.MOUNT, child)
    finally:
        os.close(child_release)
        os.waitpid(child, 0)


def _furnish_and_wait(account: Account | None, made: int, release: int) -> None:
    """The child's life: it stays until its namespace is held."""
    try:
        unshare(Namespace.MOUNT)
        make_private("/")
        _mask(_needed())
        if account is not None:
            _admit(account)
        os.write(made, b"made")
    except BaseException as error:  # noqa: BLE001 -- a fork must end here
        os.write(made, str(error).encode())
    finally:
        os.close(made)
        os.read(release, 1)
        os._exit(0)


def _needed() -> list[str]:
    """The folders without which neither Python nor the tests would run."""
    folders = {str(CHECKOUT), sys.prefix, sys.base_prefix, sys.exec_prefix}
    return sorted(os.path.realpath(folder) for folder in folders)


def _mask(needed: Iterable[str]) -> None:
    """Lay an empty tmpfs over each folder that holds somebody's files, keeping what is needed."""
    kept = {path: clone_tree(path) for path in needed if _is_masked(path)}
    for path, mode in _MASKED.items():
        tmpfs(path, "256m", mode)
    os.mkdir("/run/lock")
    for path, clone in kept.items():
        # a folder on the way may be masked although its owner alone may enter it
        os.makedirs(path, 0o755, exist_ok=True)
        for parent in Path(path).parents:
            if _is_masked(str(parent)) and not parent.stat().st_mode & 0o001:
                parent.chmod(0o755)
        attach_tree(clone, path)


def _is_masked(path: str) -> bool:
    return any(path == masked or path.startswith(f"{masked}/") for masked in _MASKED)


def _admit(account: Account) -> None:
    """Have /etc be a copy of the machine's own, in which the user exists, and make their home.

    One mount over all of /etc, rather than one for each file: that is how a machine looks that
    is no container.
    """
    copy = Path("/tmp/etc")
    copy.mkdir()
    tmpfs(str(copy), "256m")
    subprocess.run(["cp", "-a", "/etc/.", str(copy)], check=True)
    enrol(account, copy)
    mount(str(copy), "/etc", None, MountFlag.BIND)
    detach = 2
    call("umount2", os.fsencode(copy), detach)
    copy.rmdir()
    os.mkdir(account.home, 0o700)
    os.chown(account.home, account.uid, account.uid)
