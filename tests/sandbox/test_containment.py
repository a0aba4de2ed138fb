"""What a hostile command in a node can do to the machine: nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.modes.invoker import Invoker
from tests.sandbox.conftest import StartLab
from tests.sandbox.labs import RunningLab

HIGH_BASE = 0x70000000  # the host's id of a lab's root, where root invoked it
FORK_UNTIL_REFUSED = """
import os, signal, sys
os.setgid(int(sys.argv[1])), os.setuid(int(sys.argv[1]))
children = []
try:
    while len(children) < 500:
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
except BlockingIOError:
    pass
print(len(children), flush=True)
if len(sys.argv) == 2:
    for child in children:
        os.kill(child, signal.SIGKILL)
else:
    os.close(1), signal.pause()
"""


def host(key: str) -> str:
    return Path("/proc/sys", key).read_text()


def as_root_in_a_lab(invoker: Invoker) -> int:
    """The host's user id that a lab's root has."""
    return HIGH_BASE if os.geteuid() == 0 and invoker.account is None else _uid(invoker)


def _uid(invoker: Invoker) -> int:
    return int(invoker.shell("id -u"))


@pytest.fixture
def precious(invoker: Invoker) -> str:
    """A folder with a file, both given to the very user that a lab's root is on the host."""
    owner = as_root_in_a_lab(invoker)
    give = f"chown -R {owner}:{owner} $folder; " if owner == HIGH_BASE else ""
    return invoker.shell(
        f"folder=$(mktemp -d ~/precious.XXXXXX); echo kept >$folder/file; {give} echo $folder"
    ).strip()


@pytest.fixture
def lab_with_precious(start_lab: StartLab, precious: str) -> RunningLab:
    return start_lab(expose=[precious])


@pytest.mark.parametrize("node", ["a", None], ids=["a node", "the runner"])
@pytest.mark.parametrize(
    "attack",
    [
        "rm -rf {folder}/file",
        "rm -rf {folder}/..",
        "echo gone >{folder}/file",
        "truncate -s 0 {folder}/file",
        "chmod 777 {folder}/file",
        "mv {folder}/file {folder}/other",
        "touch {folder}/new",
        "mount -o remount,rw {folder}; rm {folder}/file",
        "mount -o remount,bind,rw {folder}; rm {folder}/file",
        "umount -l {folder}; rm {folder}/file",
        "mount --bind {folder} /mnt; mount -o remount,bind,rw /mnt; rm /mnt/file",
    ],
)
def test_the_hosts_files_stay(
    lab_with_precious: RunningLab, precious: str, attack: str, node: str | None
) -> None:
    lab_with_precious.run(node, attack.format(folder=precious))
    seen = lab_with_precious.invoker.shell(f"ls {precious}; cat {precious}/file")
    assert seen == "file\nkept\n"


@pytest.mark.parametrize("node", ["a", None], ids=["a node", "the runner"])
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
        "rm /usr/bin/env",
        "echo 1 >/sys/kernel/profiling",
        "mknod /tmp/disk b 8 0",
        "mknod /tmp/memory c 1 1",
        "unshare --user true",
        "unshare --user --map-root-user --mount true",
        "date --set=2000-01-01",
        "hwclock --systohc",
        "nsenter --target 1 --mount --pid true",
        "chroot /proc/1/root true",
        "dmesg --clear",
        "swapon /tmp/swap",
        "insmod /tmp/module.ko",
        "reboot --force --force",
    ],
)
def test_a_command_is_refused(lab: RunningLab, command: str, node: str | None) -> None:
    if node is None and command.startswith(("nsenter", "chroot")):
        pytest.skip("the runner already lives where PID 1 does")
    assert lab.run(node, command).exit != 0


@pytest.mark.parametrize(
    "command",
    [
        "mount -t tmpfs none /tmp",
        "mount -t proc none /proc",
        "mount --bind /usr /mnt",
        "unshare --mount true",
        "unshare --net true",
        "nsenter --target 1 --net true",
        "hostname other",
        "ip netns add other",
    ],
)
def test_a_node_has_no_right_to_mount_or_to_make_namespaces(
    lab: RunningLab, command: str
) -> None:
    assert lab.run("a", command).exit != 0


@pytest.mark.parametrize("node", ["a", None], ids=["a node", "the runner"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vm/overcommit_memory", "2"),
        ("vm/drop_caches", "1"),
        ("kernel/panic", "77"),
        ("kernel/pid_max", "70000"),
        ("kernel/core_pattern", "|/tmp/evil"),
        ("kernel/printk", "0 0 0 0"),
        ("fs/file-max", "1000"),
        ("net/core/rmem_max", "70000"),
        ("net/netfilter/nf_conntrack_max", "7"),
    ],
)
def test_a_global_setting_stays(
    lab: RunningLab, key: str, value: str, node: str | None
) -> None:
    readable = Path("/proc/sys", key).exists() and os.access(f"/proc/sys/{key}", os.R_OK)
    before = host(key) if readable else None
    lab.run(node, f"echo '{value}' >/proc/sys/{key}")
    lab.run(node, f"sysctl -w {key.replace('/', '.')}='{value}'")
    assert (host(key) if readable else None) == before


def test_the_name_of_the_machine_stays(lab: RunningLab) -> None:
    before = host("kernel/hostname"), host("kernel/domainname")
    lab.run("b", "echo lab-was-here >/proc/sys/kernel/hostname")
    lab.run("b", "echo lab-was-here >/proc/sys/kernel/domainname")
    assert (host("kernel/hostname"), host("kernel/domainname")) == before


def test_process_1_of_a_node_can_be_neither_killed_nor_stopped(lab: RunningLab) -> None:
    lab.run("a", "kill -9 1; kill -STOP 1; kill -TERM 1; kill -INT 1; kill -HUP 1")
    assert lab.output("a", "ps -o stat= -p 1").startswith("S")


def test_process_1_of_the_lab_can_be_neither_killed_nor_stopped(lab: RunningLab) -> None:
    lab.run(None, "kill -9 1; kill -STOP 1; kill -TERM 1; kill -INT 1; kill -HUP 1")
    assert lab.output(None, "cat /proc/1/comm; ps -o stat= -p 1").startswith("lab-init\nS")


def test_a_node_sees_no_process_but_its_own(lab: RunningLab) -> None:
    assert lab.output("a", "ps -e -o comm=").split() == ["lab-node-init", "bash", "ps"]


def test_a_full_tmp_ends_in_no_space(start_lab: StartLab) -> None:
    done = start_lab().run("a", "dd if=/dev/zero of=/tmp/full bs=1M count=80")
    assert done.exit != 0
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("folder", ["/run", "/var/log", "/var/lib", "/dev/shm", "/root", "/home"])
def test_other_places_to_write_are_bounded_too(start_lab: StartLab, folder: str) -> None:
    done = start_lab().run("a", f"dd if=/dev/zero of={folder}/full bs=1M count=80")
    assert "No space left on device" in done.stderr


def test_too_many_files_end_in_no_space(start_lab: StartLab) -> None:
    done = start_lab().run("a", "cd /tmp && seq 20001 | xargs touch")
    assert "No space left on device" in done.stderr


def test_a_node_may_have_4096_processes(lab: RunningLab) -> None:
    assert lab.output("a", "ulimit -Hu; ulimit -Su").split() == ["4096", "4096"]


def test_a_fork_bomb_ends_at_the_limit(start_lab: StartLab) -> None:
    lab = start_lab(processes=60)
    forked = int(lab.output("a", f"{sys.executable} -c '{FORK_UNTIL_REFUSED}' 0"))
    assert 30 < forked < 60
    assert lab.output("b", "echo alive") == "alive"


def test_other_users_of_the_lab_share_the_limit(start_lab: StartLab, invoker: Invoker) -> None:
    if invoker.mode == "single":
        pytest.skip("there is one user in that mode")
    lab = start_lab(processes=60)
    python = f"exec {sys.executable} -c '{FORK_UNTIL_REFUSED}'"
    first = int(lab.output("a", f"({python} 1000 stay) 2>&1 & wait -n 2>/dev/null; head -1 <&0"))
    assert first


def test_no_core_is_left_behind(lab: RunningLab) -> None:
    assert lab.output("a", "ulimit -Hc") == "0"
