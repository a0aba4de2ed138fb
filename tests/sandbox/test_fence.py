"""Which ids a lab's users stand for, and why the kernel may refuse them."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lab.model.errors import ExitCode
from lab.sandbox import fence
from lab.sandbox.fence import Fence, Mode
from tests.modes.invoker import Invoker, Unavailable, invoker_for
from tests.modes.place import CHECKOUT
from tests.sandbox.labs import RunningLab, children

RECIPE = json.dumps({"topology": "pair", "backend": "nft", "expose": [], "processes": 4096})
DRIVER = (sys.executable, "-m", "tests.sandbox.driver", RECIPE)
NOT_OURS = """
import sys
from lab.model.errors import Missing
from lab.model.scenario import Backend
from lab.sandbox import fence, launch, root, toolbox
maps = ((0, {uid}, 1), (1, 5000, 65535))
try:
    launch.launch(
        fence.Fence(fence.Mode.SUBUID, maps, maps),
        root.RootPlan(toolbox.Toolbox(Backend.NFT, toolbox.find_backend(Backend.NFT))),
        lambda events: 0,
    )
except Missing as missing:
    print(missing)
"""


def test_each_user_gets_the_mode_they_can_have(invoker: Invoker) -> None:
    script = "from lab.sandbox.fence import choose; print(choose().mode)"
    assert invoker.run(invoker.python("-c", script)).stdout.strip() == invoker.mode


def test_a_lab_has_its_modes_ids(lab: RunningLab) -> None:
    expected = {
        Mode.ROOT: [["0", "0", "65536"]],
        Mode.SUBUID: [["0", "0", "1"], ["1", "1", "65535"]],
        Mode.SINGLE: [["0", "0", "1"]],
    }[lab.invoker.mode]
    for file in ("uid_map", "gid_map"):
        lines = lab.output("a", f"cat /proc/self/{file}").splitlines()
        assert [line.split() for line in lines] == expected


def test_no_process_of_a_lab_is_the_hosts_root(lab: RunningLab) -> None:
    """Seen from outside, where the numbers are the host's."""
    (middle,) = children(lab.process.pid)
    (init,) = children(middle)
    for process in (init, *children(init)):
        status = Path(f"/proc/{process}/status").read_text().splitlines()
        (uids,) = (line.split()[1:] for line in status if line.startswith("Uid:"))
        (gids,) = (line.split()[1:] for line in status if line.startswith("Gid:"))
        assert "0" not in uids + gids


@pytest.mark.parametrize(
    ("lines", "start"),
    [
        ("lab:100000:65536\n", 100_000),
        ("other:100000:65536\nlab:165536:65536\n", 165_536),
        ("lab:100000:1000\nlab:200000:65536\n", 200_000),
        ("4321:100000:65536\n", 100_000),
        ("lab:100000:70000", 100_000),
        ("  lab:100000:65536  \n", 100_000),
        ("", None),
        ("lab:100000:65535\n", None),
        ("other:100000:65536\n", None),
        ("lab\nlab:\nlab:1\nlab:x:65536\nlab:1:y\n# lab:1:65536\n", None),
    ],
)
def test_the_first_range_of_65536_ids_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, start: int | None
) -> None:
    path = tmp_path / "subuid"
    path.write_text(lines)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: type("Account", (), {"pw_name": "lab"}))
    assert fence._subordinate(str(path), 4321) == start


def test_without_the_file_there_are_no_subordinate_ids(tmp_path: Path) -> None:
    assert fence._subordinate(str(tmp_path / "subuid"), 4321) is None


def test_the_inner_map_has_a_line_for_each_extent_of_the_outer_one() -> None:
    maps = ((0, 1000, 1), (1, 100_000, 65_535))
    assert Fence(Mode.SUBUID, maps, maps).inner_map == "0 0 1\n1 1 65535\n"


def test_ids_that_are_not_the_users_are_missing() -> None:
    try:
        invoker = invoker_for(Mode.SUBUID)
    except Unavailable as unavailable:
        pytest.skip(str(unavailable))
    uid = invoker.shell("id -u").strip()
    done = invoker.run(invoker.python("-c", NOT_OURS.format(uid=uid)))
    assert done.stdout == (
        "subordinate ids: newuidmap: uid range [1-65536) -> [5000-70535) not allowed\n"
        "    get it with: sudo apt-get install --reinstall uidmap\n"
    )


def driver_where(*setup: str) -> subprocess.CompletedProcess[str]:
    """Start a lab in a user namespace of its own, where shell lines have been run before."""
    script = "\n".join(("set -e", *setup, 'exec "$@"'))
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh", *DRIVER],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_user_namespaces_switched_off_are_told_with_the_sysctl() -> None:
    done = driver_where("echo 0 >/proc/sys/user/max_user_namespaces")
    assert done.returncode == ExitCode.MISSING
    assert done.stdout == ""
    assert done.stderr == (
        "user namespaces (user.max_user_namespaces=0): labs live in user namespaces\n"
        "    get it with: sudo sysctl -w user.max_user_namespaces=16384\n"
    )


def test_in_another_user_namespace_a_lab_stands_all_the_same() -> None:
    done = driver_where("true")
    assert (done.returncode, done.stdout, done.stderr) == (0, '{"event": "up"}\n', "")


@pytest.mark.parametrize(
    ("settings", "number", "message"),
    [
        (
            {"kernel/unprivileged_userns_clone": "0"},
            errno.EPERM,
            "user namespaces (kernel.unprivileged_userns_clone=0): labs live in user namespaces\n"
            "    get it with: sudo sysctl -w kernel.unprivileged_userns_clone=1",
        ),
        (
            {"kernel/apparmor_restrict_unprivileged_userns": "1"},
            errno.EPERM,
            "user namespaces (kernel.apparmor_restrict_unprivileged_userns=1): "
            "labs live in user namespaces\n"
            "    get it with: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (
            {"user/max_user_namespaces": "1000"},
            errno.ENOSPC,
            "user namespaces (the limit of namespaces or of their nesting is reached): "
            "labs live in user namespaces\n"
            "    get it with: sysctl user.max_user_namespaces",
        ),
        (
            {},
            errno.EPERM,
            "user namespaces (Operation not permitted): labs live in user namespaces; a "
            "container's seccomp profile or a security module refuses them\n"
            "    get it with: docker run --security-opt seccomp=unconfined "
            "--security-opt systempaths=unconfined …",
        ),
    ],
)
def test_the_reason_of_a_refusal_is_told(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], number: int, message: str
) -> None:
    monkeypatch.setattr(fence, "_setting", settings.get)
    refusal = fence.refusal(number)
    assert str(refusal) == message
    assert refusal.exit_code == ExitCode.MISSING
