"""Mounts, in a mount namespace of the test's own."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.kernel.mounts import (
    MountAttribute,
    MountFlag,
    attach_tree,
    clone_tree,
    make_private,
    mount,
    pivot_into,
    set_attributes,
    tmpfs,
)
from lab.kernel.namespaces import Namespace, hold, setns, unshare
from tests.kernel.own_network import own_network, run


@pytest.fixture
def enter(tmp_path: Path) -> Callable[[], None]:
    """For the test's child: enters a mount namespace, in a folder that is a tmpfs."""

    def enter() -> None:
        unshare(Namespace.MOUNT)
        make_private("/")
        tmpfs(str(tmp_path), "16m")
        os.chdir(tmp_path)

    return enter


def options(path: str) -> set[str]:
    return set(run(f"findmnt -no VFS-OPTIONS {path}").strip().split(","))


@own_network
def test_a_tmpfs_takes_as_much_as_it_may(enter: Callable[[], None]) -> None:
    enter()
    os.mkdir("small")
    tmpfs("small", "64k", 0o1777)
    assert os.stat("small").st_mode & 0o7777 == 0o1777
    with pytest.raises(OSError, match="No space left") as full, open("small/file", "wb") as file:
        file.write(bytes(65_537))
    assert full.value.errno == errno.ENOSPC
    assert os.statvfs("small").f_files == 20 * 1024
    assert "nosuid" in options("small")


@own_network
def test_a_mount_that_fails_names_its_target(enter: Callable[[], None]) -> None:
    enter()
    with pytest.raises(OSError, match="mount tmpfs on nowhere: mount: No such file") as failed:
        tmpfs("nowhere", "1m")
    assert failed.value.errno == errno.ENOENT
    with pytest.raises(OSError, match="mount there on nowhere: mount: No such file"):
        mount("there", "nowhere", None, MountFlag.BIND)


@own_network
def test_a_private_mount_is_seen_in_no_other_namespace(enter: Callable[[], None]) -> None:
    enter()
    make_private("/")
    home = hold(Namespace.MOUNT)
    unshare(Namespace.MOUNT)
    os.mkdir("here")
    tmpfs("here", "1m")
    Path("here/file").touch()
    folder = os.getcwd()
    setns(home, Namespace.MOUNT)
    assert os.listdir(f"{folder}/here") == []


@own_network
@pytest.mark.parametrize("recursive", [True, False])
def test_attributes_are_set_on_a_mount_or_on_all_below_it(
    enter: Callable[[], None], recursive: bool
) -> None:
    enter()
    os.makedirs("upper")
    tmpfs("upper", "1m")
    os.mkdir("upper/lower")
    tmpfs("upper/lower", "1m")
    set_attributes("upper", MountAttribute.READ_ONLY, recursive=recursive)
    assert "ro" in options("upper")
    assert ("ro" in options("upper/lower")) == recursive
    set_attributes("upper", MountAttribute.NONE, MountAttribute.READ_ONLY, recursive=recursive)
    assert "rw" in options("upper") & options("upper/lower")


@own_network
def test_a_cloned_tree_outlives_what_hides_the_original(enter: Callable[[], None]) -> None:
    enter()
    os.makedirs("home/user")
    Path("home/user/file").write_text("shown")
    clone = clone_tree("home/user")
    tmpfs("home", "1m")
    os.mkdir("home/user")
    attach_tree(clone, "home/user")
    assert Path("home/user/file").read_text() == "shown"
    assert {"ro", "nosuid"} <= options("home/user")
    with pytest.raises(OSError, match="Read-only file system"):
        Path("home/user/new").touch()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(clone)


@own_network
def test_a_cloned_tree_has_the_mounts_below_it(enter: Callable[[], None]) -> None:
    enter()
    os.makedirs("tree/below")
    tmpfs("tree/below", "1m")
    Path("tree/below/file").write_text("shown")
    os.mkdir("copy")
    attach_tree(clone_tree("tree"), "copy")
    assert Path("copy/below/file").read_text() == "shown"
    assert "ro" in options("copy/below")
    assert "rw" in options("tree/below")


@own_network
def test_a_single_file_can_be_cloned(enter: Callable[[], None]) -> None:
    enter()
    Path("file").write_text("shown")
    Path("copy").touch()
    attach_tree(clone_tree("file"), "copy")
    assert Path("copy").read_text() == "shown"


@own_network
def test_what_is_not_there_cannot_be_cloned(enter: Callable[[], None]) -> None:
    enter()
    with pytest.raises(OSError, match="open_tree: No such file or directory"):
        clone_tree("nowhere")


@own_network
def test_a_new_root_shows_nothing_of_the_old_one(enter: Callable[[], None]) -> None:
    enter()
    os.mkdir("root")
    tmpfs("root", "1m")
    Path("root/file").touch()
    pivot_into("root")
    assert os.getcwd() == "/"
    assert os.listdir("/") == os.listdir("/..") == ["file"]
