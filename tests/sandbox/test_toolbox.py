"""The tools that a node's commands find."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.model.errors import Missing
from lab.model.scenario import Backend
from lab.sandbox import toolbox
from lab.sandbox.fence import Mode
from tests.modes.invoker import Invoker
from tests.sandbox.labs import RunningLab

SAYS = {Backend.NFT: "(nf_tables)", Backend.LEGACY: "(legacy)"}
COMMANDS = [
    f"{family}{suffix}"
    for family in ("iptables", "ip6tables")
    for suffix in ("", "-save", "-restore")
]


@pytest.fixture(scope="module")
def labs(invoker: Invoker) -> Iterator[dict[Backend, RunningLab]]:
    """One lab for each backend."""
    running = {backend: RunningLab(invoker, backend=backend) for backend in Backend}
    yield running
    for lab in running.values():
        lab.end()


@pytest.mark.parametrize("backend", [*Backend])
@pytest.mark.parametrize("how", ["{}", "/usr/sbin/{}", "/sbin/{}", "sudo {}", "sudo /sbin/{}"])
def test_every_iptables_command_is_the_backends(
    labs: dict[Backend, RunningLab], backend: Backend, how: str
) -> None:
    script = "\n".join(how.format(command) + " --version" for command in COMMANDS)
    versions = labs[backend].output("a", script).splitlines()
    assert [version.split()[0] for version in versions] == COMMANDS
    assert {version.split()[2] for version in versions} == {SAYS[backend]}


@pytest.mark.parametrize("backend", [*Backend])
def test_a_rule_is_set_listed_saved_and_restored(
    labs: dict[Backend, RunningLab], backend: Backend
) -> None:
    lab = labs[backend]
    rule = "-A INPUT -s 10.0.0.2/32 -p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset"
    lab.output("a", f"iptables {rule}")
    assert rule in lab.output("a", "iptables -S").splitlines()
    saved = "iptables-save -t filter >/tmp/rules; iptables -F; iptables-restore </tmp/rules"
    lab.output("a", saved)
    assert rule in lab.output("a", "iptables-save").splitlines()
    assert rule not in lab.output("b", "iptables -S").splitlines()
    lab.output("a", "iptables -F")


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("sudo echo done", "done"),
        ("sudo -- echo done", "done"),
        ("sudo -n -E -H -S echo done", "done"),
        ("sudo COLOUR=red SIZE=2 sh -c 'echo $COLOUR $SIZE'", "red 2"),
        ("sudo -p 'Password:' -C 3 echo done", "done"),
        ("sudo -u root id -un", "root"),
        ("sudo -uroot id -un", "root"),
        ("sudo -Eu root id -un", "root"),
        ("sudo -nHu root id -un", "root"),
        ("sudo --user root id -un", "root"),
        ("sudo --user=root id -un", "root"),
        ("sudo -u '#0' id -un", "root"),
        ("sudo -g root id -gn", "root"),
        ("sudo -i echo done", "done"),
        ("sudo -s echo done", "done"),
        ("echo 'echo done' | sudo -s", "done"),
        ("echo 'echo done' | sudo -i", "done"),
        ("sudo sudo echo done", "done"),
        ("sudo echo 'two  words' -u '*'", "two  words -u *"),
        ("sudo", ""),
    ],
)
def test_sudo_runs_the_command(labs: dict[Backend, RunningLab], command: str, output: str) -> None:
    assert labs[Backend.NFT].output("a", command) == output


@pytest.mark.parametrize(
    "command",
    [
        "sudo -u nobody id -u",
        "sudo -unobody id -u",
        "sudo --user=nobody id -u",
        "sudo -n -u nobody -- id -u",
    ],
)
def test_sudo_becomes_another_user(
    labs: dict[Backend, RunningLab], invoker: Invoker, command: str
) -> None:
    expected = "0" if invoker.mode is Mode.SINGLE else "65534"
    assert labs[Backend.NFT].output("a", command) == expected


def test_sudo_ends_as_its_command_does(labs: dict[Backend, RunningLab]) -> None:
    assert labs[Backend.NFT].run("a", "sudo sh -c 'exit 42'").exit == 42


def test_the_tools_cannot_be_changed(labs: dict[Backend, RunningLab]) -> None:
    done = labs[Backend.NFT].run("a", f"rm {toolbox.FOLDER}/sudo")
    assert "Read-only file system" in done.stderr


def test_a_backend_that_is_not_installed_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path: None)
    with pytest.raises(Missing) as missing:
        toolbox.find_backend(Backend.LEGACY)
    assert str(missing.value) == (
        "iptables (xtables-legacy-multi): a scenario's rules are applied by the real tools\n"
        "    get it with: sudo apt-get install iptables"
    )
