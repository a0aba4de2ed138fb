"""What of the host's files a lab may see."""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

import pytest

from lab.model.scenario import Backend
from lab.run import exposure
from lab.run.exposure import root_plan, scenario_paths
from lab.sandbox.fence import Fence, Mode
from tests.modes.invoker import Invoker

FENCE = Fence(Mode.SUBUID, ((0, 1000, 1),), ((0, 1000, 1),))
SCENARIO = """\
topology: {nodes: {a: {}}}
matrix: {iptables: nft}
steps:
  - on: a
    run: ls -A; cat secret
    expect: {exit: nonzero}
"""


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Homes in the usual place, in another one, and that of an account that has none."""
    homes = {"root": "/root", "alice": "/home/alice", "bob": "/data/users/bob/", "nobody": "/"}
    accounts = [
        pwd.struct_passwd((name, "x", number, number, "", home, "/bin/sh"))
        for number, (name, home) in enumerate(homes.items())
    ]
    monkeypatch.setattr(exposure.pwd, "getpwall", lambda: accounts)


@pytest.mark.parametrize(
    ("scenario", "shown"),
    [
        ("/home/alice/nets/x.lab.yaml", "/home/alice/nets"),
        ("/home/alice/nets/deep/x.lab.yaml", "/home/alice/nets/deep"),
        ("/home/alice/x.lab.yaml", "/home/alice/x.lab.yaml"),
        ("/home/x.lab.yaml", "/home/x.lab.yaml"),
        ("/root/x.lab.yaml", "/root/x.lab.yaml"),
        ("/data/users/bob/x.lab.yaml", "/data/users/bob/x.lab.yaml"),
        ("/data/users/bob/nets/x.lab.yaml", "/data/users/bob/nets"),
        ("/tmp/x.lab.yaml", "/tmp/x.lab.yaml"),
        ("/x.lab.yaml", "/x.lab.yaml"),
        ("/srv/x.lab.yaml", "/srv"),
    ],
)
def test_a_scenario_shows_its_folder_unless_that_is_private(scenario: str, shown: str) -> None:
    assert scenario_paths(scenario, ()) == (shown,)


def test_a_scenario_shows_its_files_too() -> None:
    shown = scenario_paths("/srv/nets/x.lab.yaml", ["/home/alice/rules.v4"])
    assert shown == ("/srv/nets", "/home/alice/rules.v4")


def exposed(*paths: str) -> tuple[str, ...]:
    """What a root shows of hidden places, but for what Python needs itself."""
    without = root_plan(FENCE, Backend.NFT, ()).expose
    shown = root_plan(FENCE, Backend.NFT, paths).expose
    return tuple(path for path in shown if path not in without)


def test_what_lies_in_another_shown_folder_is_shown_once() -> None:
    paths = ("/home/alice/nets", "/home/alice/nets/deep", "/home/alice/nets.old/rules.v4")
    assert exposed(*paths) == ("/home/alice/nets", "/home/alice/nets.old/rules.v4")


def test_what_is_not_hidden_needs_no_showing() -> None:
    assert exposed("/srv/nets", "/usr/share/doc", "/homework/nets") == ()


def test_the_interpreter_and_this_package_are_always_there() -> None:
    hidden = ("/home/", "/root/", "/tmp/", "/var/", "/run/", "/mnt/")
    needed = {os.path.realpath(sys.prefix), os.path.realpath(Path(exposure.__file__).parents[1])}
    shown = root_plan(FENCE, Backend.NFT, ()).expose
    for path in needed:
        if path.startswith(hidden):
            assert any(path == place or path.startswith(f"{place}/") for place in shown)


@pytest.mark.parametrize(
    ("package", "is_shown"),
    [("pyroute2/__init__.py", True), ("mininet/README", False), ("notes.txt", False)],
)
def test_of_pythons_path_only_folders_of_packages_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, is_shown: bool
) -> None:
    """``python -m lab`` has the current folder in its path, whatever that is."""
    (tmp_path / package).parent.mkdir(exist_ok=True)
    (tmp_path / package).touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    shown = root_plan(FENCE, Backend.NFT, ()).expose
    assert (str(tmp_path) in shown) is is_shown


def seen(invoker: Invoker, scenario: str) -> list[str]:
    """What a scenario's step saw of its folder; the scenario is given relative to the home."""
    command = f"cd ~ && exec {sys.executable} -m lab run -v {scenario}"
    done = invoker.run(["sh", "-c", command])
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    begin = next(number for number, line in enumerate(lines) if "a# ls -A" in line)
    return [line.strip() for line in lines[begin + 1 :] if line.startswith(" " * 8)]


def test_a_scenario_in_a_home_shows_nothing_else_of_it(invoker: Invoker) -> None:
    invoker.shell(f"cd ~; echo hidden > secret; echo '{SCENARIO}' > alone.lab.yaml")
    missing = "cat: secret: No such file or directory"
    assert seen(invoker, "alone.lab.yaml") == ["alone.lab.yaml", missing]


def test_a_scenario_behind_a_symlink_shows_the_folder_it_is_named_by(invoker: Invoker) -> None:
    invoker.shell(f"""
        mkdir -p ~/nets/real
        cd ~/nets
        ln -sfn real link
        echo hidden > secret
        echo '{SCENARIO}' > real/x.lab.yaml
    """)
    missing = "cat: secret: No such file or directory"
    assert seen(invoker, "nets/link/x.lab.yaml") == ["x.lab.yaml", missing]
