"""What a hostile command in a node can do to the machine: nothing."""

from __future__ import annotations

import errno
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.kernel import seccomp
from lab.sandbox.fence import Mode
from tests.modes.invoker import Invoker
from tests.sandbox.conftest import StartLab
from tests.sandbox.labs import RunningLab

FORK_BOMB = Path(__file__).with_name("fork_bomb.py")
WHERE = pytest.mark.parametrize("node", ["a", None], ids=["node", "runner"])


@pytest.fixture(scope="module")
def precious(invoker: Invoker) -> str:
    """A folder with a file of the invoker's, which in a lab belong to its root."""
    return invoker.shell("""
        folder=$(mktemp -d ~/precious.XXXXXX)
        echo kept >$folder/file
        echo $folder
    """).strip()


@pytest.fixture(scope="module")
def lab_with_precious(invoker: Invoker, precious: str) -> Iterator[RunningLab]:
    lab = RunningLab(invoker, expose=[precious])
    assert lab.output("a", f"stat -c %U {precious} {precious}/file").split() == ["root", "root"]
    yield lab
    lab.end()


@WHERE
@pytest.mark.parametrize(
    "attack",
    [
        "rm -rf {folder}/file",
        "rm -rf {folder}",
        "echo gone >{folder}/file",
        "truncate -s 0 {folder}/file",
        "chmod 777 {folder}/file",
        "mv {folder}/file {folder}/other",
        "touch {folder}/new",
        "mount -o remount,rw {folder}; rm {folder}/file",
        "mount -o remount,bind,rw {folder}; rm {folder}/file",
        "umount -l {folder}; rm {folder}/file",
        "mkdir /tmp/there; mount --bind {folder} /tmp/there; mount -o remount,bind,rw /tmp/there; "
        "rm /tmp/there/file; umount /tmp/there; rmdir /tmp/there",
    ],
)
def test_the_hosts_files_stay(
    lab_with_precious: RunningLab, precious: str, attack: str, node: str | None
) -> None:
    lab_with_precious.run(node, attack.format(folder=precious))
    seen = lab_with_precious.invoker.shell(f"stat -c %a {precious}/*; cat {precious}/*")
    assert seen == "644\nkept\n"


@WHERE
@pytest.mark.parametrize(
    "command",
    [
        "mount -o remount,rw /",
        "mount -o remount,bind,rw /",
        "umount -l /tmp",
        "umount -l /etc",
        "umount -l /home",
        "umount -l /proc",
        "touch /usr/bin/lab-was-here",
        "touch /lab-was-here",
        "mv /usr/bin/env /usr/bin/lab-was-here",
        "echo 1 >/sys/kernel/profiling",
        "mknod /tmp/disk b 8 0",
        "mknod /tmp/memory c 1 1",
        "unshare --user true",
        "unshare --user --map-root-user --mount true",
        "echo 9 >/proc/sys/user/max_user_namespaces; unshare --user true",
        "date --set=2000-01-01",
        "dmesg --clear",
    ],
)
def test_what_reaches_beyond_the_lab_is_refused(
    lab: RunningLab, command: str, node: str | None
) -> None:
    done = lab.run(node, command)
    assert done.exit != 0
    assert "command not found" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "mount -t tmpfs none /tmp",
        "mount -t proc none /proc",
        "mount --bind /usr /mnt",
        "unshare --mount true",
        "unshare --net true",
        "nsenter --target 1 --net true",
        "nsenter --target 1 --mount true",
        "chroot /proc/1/root true",
        "hostname other",
        "ip netns add other",
    ],
)
def test_a_node_can_neither_mount_nor_change_namespaces(lab: RunningLab, command: str) -> None:
    done = lab.run("a", command)
    assert done.exit != 0
    assert "command not found" not in done.stderr


@WHERE
@pytest.mark.parametrize("name", ["keyctl", "io_uring_setup", "bpf"])
def test_a_system_call_that_labs_have_no_use_for_is_refused(
    lab: RunningLab, name: str, node: str | None
) -> None:
    number = seccomp._NUMBERS[platform.machine()][name]
    script = (
        "import ctypes; libc = ctypes.CDLL(None, use_errno=True); "
        f"print(libc.syscall({number}, -1, -1, -1), ctypes.get_errno())"
    )
    assert lab.output(node, f"{sys.executable} -c '{script}'") == f"-1 {errno.EPERM}"


@WHERE
@pytest.mark.parametrize(
    "key",
    [
        "vm/swappiness",
        "vm/overcommit_memory",
        "kernel/panic",
        "kernel/pid_max",
        "fs/file-max",
        "net/core/rmem_max",
        "net/netfilter/nf_conntrack_max",
    ],
)
def test_a_global_setting_stays(lab: RunningLab, key: str, node: str | None) -> None:
    path = Path("/proc/sys", key)
    if not path.exists():
        pytest.skip(f"this kernel has no {key}")
    before = path.read_text()
    other = int(before) - 1 if int(before) else 1
    lab.run(node, f"echo {other} >{path}")
    lab.run(node, f"sysctl -w {key.replace('/', '.')}={other}")
    assert path.read_text() == before


@WHERE
def test_the_name_of_the_machine_stays(lab: RunningLab, node: str | None) -> None:
    before = os.uname().nodename
    lab.run(node, "echo lab-was-here >/proc/sys/kernel/hostname")
    assert os.uname().nodename == before


def test_process_1_of_a_node_can_be_neither_killed_nor_stopped(lab: RunningLab) -> None:
    lab.run("a", "for signal in KILL STOP TERM INT HUP; do kill -$signal 1; done")
    assert lab.output("a", "ps -o stat= -p 1").startswith("S")


def test_process_1_of_the_lab_can_be_neither_killed_nor_stopped(lab: RunningLab) -> None:
    lab.run(None, "for signal in KILL STOP TERM INT HUP; do kill -$signal 1; done")
    assert lab.output(None, "ps -o comm=,stat= -p 1").split() == ["lab-init", "S"]


def test_a_full_tmp_ends_in_no_space(lab: RunningLab) -> None:
    done = lab.run("a", "dd if=/dev/zero of=/tmp/full bs=1M count=65; rm /tmp/full")
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize(
    ("folder", "mebibytes"),
    [("/run", 8), ("/var/lib", 8), ("/var/log", 64), ("/dev/shm", 64), ("/root", 1), ("/home", 1)],
)
def test_other_places_to_write_are_bounded_too(
    lab: RunningLab, folder: str, mebibytes: int
) -> None:
    fill = f"dd if=/dev/zero of={folder}/full bs=1M count={mebibytes + 1}; rm {folder}/full"
    assert "No space left on device" in lab.run("a", fill).stderr


def test_too_many_files_end_in_no_space(lab: RunningLab) -> None:
    done = lab.run("a", "mkdir /tmp/many; cd /tmp/many; seq 20481 | xargs touch; rm -r /tmp/many")
    assert "No space left on device" in done.stderr


def test_a_lab_may_have_4096_processes(lab: RunningLab) -> None:
    assert lab.output("a", "ulimit -Hu; ulimit -Su").split() == ["4096", "4096"]


def test_a_fork_bomb_ends_at_the_limit(start_lab: StartLab) -> None:
    lab = start_lab(processes=60, expose=[str(FORK_BOMB)])
    assert 30 < int(lab.run("a", f"{sys.executable} {FORK_BOMB} 0").stdout) < 60
    assert lab.output("b", "echo alive") == "alive"


def test_all_users_of_a_lab_share_the_limit(start_lab: StartLab, invoker: Invoker) -> None:
    users = "0" if invoker.mode is Mode.SINGLE else "1000 2000 3000"
    lab = start_lab(processes=60, expose=[str(FORK_BOMB)])
    bomb = f"{sys.executable} {FORK_BOMB} {users}"
    assert 30 < int(lab.run("a", bomb).stdout) < 60


def test_no_core_is_left_behind(lab: RunningLab) -> None:
    assert lab.output("a", "ulimit -Hc") == "0"
