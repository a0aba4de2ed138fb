"""The three modes as the tests have them: real users, on a machine that does not know them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.sandbox.fence import Mode
from tests.modes.accounts import FILES, Account, enrol, free_id
from tests.modes.invoker import Invoker, Unavailable, invoker_for
from tests.modes.place import CHECKOUT, make_place

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def test_an_invoker_is_the_user_of_the_mode(invoker: Invoker) -> None:
    uid, name, home = invoker.shell("id -u; id -un; echo $HOME").split()
    if invoker.place is None:
        assert int(uid) == os.geteuid()
    elif invoker.mode is Mode.ROOT:
        assert (uid, name, home) == ("0", "root", "/root")
    else:
        assert name == f"lab-{invoker.mode}"
        assert home == f"/home/{name}"
        assert int(uid) in range(60578, 61184)


@pytest.fixture(params=[Mode.SUBUID, Mode.SINGLE], ids=str)
def stranger(request: pytest.FixtureRequest) -> Account:
    """A user whom the machine does not know, where root runs the tests."""
    try:
        account = invoker_for(request.param).account
    except Unavailable as unavailable:
        pytest.skip(str(unavailable))
    assert account is not None
    return account


@as_root
def test_one_stranger_has_subordinate_ids_and_the_other_has_none(stranger: Account) -> None:
    files = invoker_for(mode_of(stranger)).shell("cat /etc/subuid /etc/subgid")
    assert files.count(f"{stranger.name}:") == (2 if stranger.subordinate else 0)


@as_root
def test_a_stranger_has_the_groups_of_nobody_else(stranger: Account) -> None:
    groups = invoker_for(mode_of(stranger)).shell("id -G")
    assert groups.split() == [str(stranger.uid)]


def mode_of(account: Account) -> Mode:
    return Mode.SUBUID if account.subordinate else Mode.SINGLE


def test_commands_start_in_the_checkout_and_find_lab(invoker: Invoker) -> None:
    script = "import os, lab; print(os.getcwd(), lab.__file__)"
    done = invoker.run(invoker.python("-c", script))
    assert done.stdout.split() == [str(CHECKOUT), f"{CHECKOUT}/lab/__init__.py"]


def test_what_an_invoker_writes_stays_with_them(invoker: Invoker) -> None:
    invoker.shell("echo kept >~/kept")
    assert invoker.shell("cat ~/kept") == "kept\n"
    if invoker.place is not None:
        invoker.shell("echo >/tmp/lab-modes-were-here")
        assert not Path("/tmp/lab-modes-were-here").exists()


def test_the_process_is_the_command_itself(invoker: Invoker) -> None:
    process = invoker.start(["sh", "-c", "echo $$"])
    assert process.communicate()[0] == f"{process.pid}\n"


@as_root
def test_a_user_is_made_without_changing_the_machine() -> None:
    def machine() -> list[str]:
        files = [Path("/etc", name) for name in FILES]
        return [file.read_text() for file in files if file.exists()]

    mounts, before = Path("/proc/self/mountinfo").read_text(), machine()
    os.close(make_place(Account("lab-nobody-knows", free_id(Path("/etc")), subordinate=True)))
    assert machine() == before
    assert Path("/proc/self/mountinfo").read_text() == mounts


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/sh\nlate:x:60578:1::/:/bin/sh\n")
    (tmp_path / "group").write_text("root:x:0:\nlate:x:60580:\n# broken\n")
    return tmp_path


def test_a_free_id_is_nobodys(etc: Path) -> None:
    assert free_id(etc) == 60579
    assert free_id(etc, (60579,)) == 60581


def test_a_user_is_added_behind_the_others(etc: Path) -> None:
    (etc / "subuid").write_text("late:100000:65536")
    enrol(Account("new", 60579, subordinate=True), etc)
    assert (etc / "passwd").read_text().splitlines()[-1] == ("new:x:60579:60579::/home/new:/bin/sh")
    assert (etc / "group").read_text().splitlines()[-1] == "new:x:60579:"
    assert (etc / "subuid").read_text() == "late:100000:65536\nnew:1610612736:65536\n"
    assert (etc / "subgid").read_text() == "new:1610612736:65536\n"


def test_a_user_without_subordinate_ids_is_in_no_such_file(etc: Path) -> None:
    enrol(Account("new", 60579, subordinate=False), etc)
    assert (etc / "subuid").read_text() == (etc / "subgid").read_text() == ""
