"""Mounts: bind, tmpfs, detached read-only copies of a tree, and a new root (mount(2))."""

from __future__ import annotations

import os
import platform
import struct
from enum import IntFlag

from lab.kernel.libc import call, syscall

_AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_AT_RECURSIVE = 0x8000
_MNT_DETACH = 2
# asm-generic/unistd.h numbers these alike on every architecture
_SYS_OPEN_TREE, _SYS_MOVE_MOUNT, _SYS_MOUNT_SETATTR = 428, 429, 442
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


class MountFlag(IntFlag):
    """MS_* of linux/mount.h."""

    NONE = 0
    READ_ONLY = 1
    NOSUID = 2
    NODEV = 4
    NOEXEC = 8
    BIND = 4096
    RECURSIVE = 16384
    PRIVATE = 1 << 18


class MountAttribute(IntFlag):
    """MOUNT_ATTR_* of linux/mount.h, as mount_setattr(2) takes them."""

    NONE = 0
    READ_ONLY = 1
    NOSUID = 2


def mount(
    source: str | None,
    target: str,
    kind: str | None = None,
    flags: MountFlag = MountFlag.NONE,
    options: str | None = None,
) -> None:
    """Mount a file system, or change one (mount(2)); OSError names the target."""
    encoded = [
        None if text is None else os.fsencode(text) for text in (source, target, kind, options)
    ]
    try:
        call("mount", encoded[0], encoded[1], encoded[2], int(flags), encoded[3])
    except OSError as error:
        what = f"mount {kind or source} on {target}"
        raise OSError(error.errno, f"{what}: {error.strerror}") from None


def make_private(path: str) -> None:
    """Stop mounts below ``path`` from propagating to where this mount namespace came from."""
    mount(None, path, None, MountFlag.RECURSIVE | MountFlag.PRIVATE)


def tmpfs(target: str, size: str, mode: int = 0o755, flags: MountFlag = MountFlag.NONE) -> None:
    """Mount memory as files, of a bounded ``size`` (tmpfs(5)) and at most 20,000 inodes."""
    mount(
        "tmpfs",
        target,
        "tmpfs",
        MountFlag.NOSUID | flags,
        f"size={size},mode={mode:o},nr_inodes=20k",
    )


def set_attributes(
    path: str,
    on: MountAttribute,
    off: MountAttribute = MountAttribute.NONE,
    *,
    recursive: bool = True,
) -> None:
    """Set and clear mount attributes of a mount, and of all below it (mount_setattr(2), 5.12)."""
    _mount_setattr(_AT_FDCWD, os.fsencode(path), _AT_RECURSIVE if recursive else 0, on, off)


def clone_tree(path: str) -> int:
    """Take a detached read-only copy of the mount tree at ``path``; its descriptor.

    Taken before a directory is masked or its owner left behind, the copy can still be attached
    afterwards (open_tree(2)).
    """
    clone = 1 | os.O_CLOEXEC | _AT_RECURSIVE
    descriptor = syscall("open_tree", _SYS_OPEN_TREE, _AT_FDCWD, os.fsencode(path), clone)
    wanted = MountAttribute.READ_ONLY | MountAttribute.NOSUID
    _mount_setattr(descriptor, b"", _AT_EMPTY_PATH | _AT_RECURSIVE, wanted, MountAttribute.NONE)
    return descriptor


def map_ids(tree: int, user_namespace: int) -> None:
    """Show a detached tree's owners as a user namespace maps them (MOUNT_ATTR_IDMAP, 5.12).

    What belongs to the host's uid 0 then belongs to the namespace's, who may enter a private
    folder. Needs root over the file system; OSError where the file system can't do it.
    """
    mount_attr_idmap = 0x00100000
    attributes = struct.pack("QQQQ", mount_attr_idmap, 0, 0, user_namespace)
    syscall(
        "mount_setattr",
        _SYS_MOUNT_SETATTR,
        tree,
        b"",
        _AT_EMPTY_PATH | _AT_RECURSIVE,
        attributes,
        len(attributes),
    )


def attach_tree(descriptor: int, target: str) -> None:
    """Attach a detached tree at ``target`` (move_mount(2)) and close its descriptor."""
    from_empty_path = 0x4
    syscall(
        "move_mount",
        _SYS_MOVE_MOUNT,
        descriptor,
        b"",
        _AT_FDCWD,
        os.fsencode(target),
        from_empty_path,
    )
    os.close(descriptor)


def pivot_into(path: str) -> None:
    """Make ``path`` the root of this mount namespace and drop the old one (pivot_root(2))."""
    os.chdir(path)
    syscall("pivot_root", _SYS_PIVOT_ROOT[platform.machine()], b".", b".")
    call("umount2", b".", _MNT_DETACH)
    os.chdir("/")


def _mount_setattr(
    descriptor: int, path: bytes, flags: int, on: MountAttribute, off: MountAttribute
) -> None:
    # struct mount_attr { attr_set, attr_clr, propagation, userns_fd }, all __u64
    propagation = int(MountFlag.PRIVATE) if on else 0
    attributes = struct.pack("QQQQ", int(on), int(off), propagation, 0)
    syscall(
        "mount_setattr",
        _SYS_MOUNT_SETATTR,
        descriptor,
        path,
        flags,
        attributes,
        len(attributes),
    )
