"""What a lab shows of the machine's files, and what becomes of those written in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest

from lab.sandbox.fence import Mode
from tests.modes.invoker import Invoker
from tests.sandbox.conftest import StartLab
from tests.sandbox.labs import RunningLab

PLACES = pytest.mark.parametrize("place", ["home", "/tmp", "/var/tmp"])
FolderBelow = Callable[[str], str]


@pytest.fixture
def folder_below(invoker: Invoker) -> Iterator[FolderBelow]:
    """Makes a folder with a file, below a place that a lab's root hides."""
    made: list[str] = []

    def make(place: str) -> str:
        where = invoker.home if place == "home" else place
        folder = invoker.shell(f"mktemp -d {where}/exposed.XXXXXX").strip()
        made.append(folder)
        invoker.shell(f"chmod 755 {folder}; mkdir {folder}/below; echo shown >{folder}/below/file")
        return folder

    yield make
    invoker.shell(f"rm -r {' '.join(made)}")


@PLACES
def test_a_folder_that_is_not_exposed_is_hidden(
    folder_below: FolderBelow, lab: RunningLab, place: str
) -> None:
    folder = folder_below(place)
    assert lab.run("a", f"ls {folder}").exit == 2


@PLACES
def test_an_exposed_folder_is_read_only_at_its_own_path(
    folder_below: FolderBelow, start_lab: StartLab, place: str
) -> None:
    folder = folder_below(place)
    lab = start_lab(expose=[folder])
    assert lab.output("a", f"cat {folder}/below/file") == "shown"
    assert "Read-only file system" in lab.run("a", f"touch {folder}/new").stderr


def test_nothing_beside_an_exposed_folder_is_shown(
    folder_below: FolderBelow, start_lab: StartLab
) -> None:
    folder, other = folder_below("home"), folder_below("home")
    lab = start_lab(expose=[f"{folder}/below"])
    assert lab.output("a", f"ls {folder}") == "below"
    assert lab.run("a", f"ls {other}").exit == 2


def test_a_single_file_can_be_exposed(folder_below: FolderBelow, start_lab: StartLab) -> None:
    folder = folder_below("home")
    lab = start_lab(expose=[f"{folder}/below/file"])
    assert lab.output("a", f"find {folder} -type f") == f"{folder}/below/file"
    assert lab.output("a", f"cat {folder}/below/file") == "shown"


def test_the_way_to_an_exposed_folder_may_be_private(
    invoker: Invoker, folder_below: FolderBelow, start_lab: StartLab
) -> None:
    folder = folder_below("home")
    invoker.shell(f"chmod 700 {invoker.home}")
    assert start_lab(expose=[folder]).output("a", f"cat {folder}/below/file") == "shown"


def test_nothing_else_of_a_home_is_shown(invoker: Invoker, lab: RunningLab) -> None:
    invoker.shell("touch ~/secret")
    assert lab.output("a", "find /home /root /tmp -name secret") == ""


def test_what_a_command_writes_stays_in_the_lab(invoker: Invoker, lab: RunningLab) -> None:
    lab.output("a", "for folder in /etc /tmp /var/tmp /var/log /run; do echo >$folder/mine; done")
    shown = "ls /etc/mine /tmp/mine /var/tmp/mine /var/log/mine /run/mine 2>/dev/null || true"
    assert invoker.shell(shown) == ""


def test_files_of_etc_can_be_added_replaced_and_removed(lab: RunningLab) -> None:
    script = "echo new >/etc/new; sed -i '$ a ours 10.0.0.0' /etc/networks; rm /etc/protocols"
    lab.output("a", script)
    assert lab.output("b", "cat /etc/new; tail -1 /etc/networks") == "new\nours 10.0.0.0"
    assert lab.run("b", "ls /etc/protocols").exit == 2


def test_a_host_whose_etc_has_files_mounted_into_it_will_do(invoker: Invoker) -> None:
    """As every container has: its hosts and resolv.conf are bind mounts."""
    if invoker.place is None:
        pytest.skip("only root can mount a file into /etc first")
    lab = RunningLab(dataclasses.replace(invoker, bound=(("/etc/hostname", "/etc/networks"),)))
    assert lab.output("a", "cat /etc/networks") == invoker.shell("cat /etc/hostname").strip()
    assert lab.output("a", "iptables -V; /usr/sbin/iptables -V").count("nf_tables") == 2
    assert lab.output("a", "echo new >/etc/new; cat /etc/new") == "new"
    assert lab.end() == 0


def test_every_account_is_root_where_there_is_one_id(invoker: Invoker, lab: RunningLab) -> None:
    ids = {line.split(":")[2] for line in lab.output("a", "cat /etc/passwd").splitlines()}
    groups = {line.split(":")[2] for line in lab.output("a", "cat /etc/group").splitlines()}
    assert (ids == groups == {"0"}) == (invoker.mode is Mode.SINGLE)
    assert lab.output("a", "id -un; id -gn").split() == ["root", "root"]


@pytest.mark.parametrize("device", ["null", "zero", "full", "random", "urandom", "tty", "ptmx"])
def test_a_device_is_there(lab: RunningLab, device: str) -> None:
    assert lab.output("a", f"test -c /dev/{device} && echo there") == "there"


def test_a_terminal_can_be_opened(lab: RunningLab) -> None:
    assert "/dev/pts/0" in lab.output("a", "script -qc tty /dev/null")


def test_disks_and_memory_are_not_there(lab: RunningLab) -> None:
    assert lab.output("a", "find /dev -type b") == ""
    assert lab.run("a", "ls /dev/mem /dev/kmsg /dev/vda /dev/sda").stdout == ""


def test_nothing_gains_rights_by_setuid(lab: RunningLab) -> None:
    flags = lab.output("a", "findmnt -no OPTIONS /; findmnt -no OPTIONS /tmp")
    assert all("nosuid" in line.split(",") for line in flags.splitlines())
