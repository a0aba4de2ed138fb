"""The first `tools/lab` on a machine sets it up, once, and leaves it as quiet as it was."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from .conftest import Shell

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("package_index")]


@dataclass(frozen=True)
class Services:
    """What a machine offers to others, and what it starts at boot."""

    listening: frozenset[str]
    enabled_units: frozenset[Path]


def services() -> Services:
    return Services(
        listening=frozenset(
            f"{protocol} {local}"
            for protocol in ("tcp", "tcp6", "udp", "udp6")
            for local in listening(protocol)
        ),
        enabled_units=frozenset(Path("/etc/systemd/system").glob("*.wants/*")),
    )


def listening(protocol: str) -> list[str]:
    """Read local addresses from /proc/net, see proc(5); a UDP client's are left out."""
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    sockets = [line.split()[1:4] for line in Path("/proc/net", protocol).read_text().splitlines()]
    tcp_listen, udp_unconnected = "0A", "07"
    if protocol.startswith("tcp"):
        return [local for local, _, state in sockets if state == tcp_listen]
    return [
        local
        for local, _, state in sockets
        if state == udp_unconnected and not first <= int(local.rpartition(":")[2], 16) <= last
    ]


@dataclass(frozen=True)
class FirstRuns:
    """Two runs in a clone that were started at the same moment, and the machine around them."""

    before: Services
    after: Services
    results: list[CompletedProcess[str]]


@pytest.fixture(scope="module")
def first_runs(clone: Path, shell: Shell) -> FirstRuns:
    before = services()
    runs = [shell.start(clone / "tools" / "lab", "--help") for _ in range(2)]
    outputs = [run.communicate() for run in runs]
    results = [
        CompletedProcess(run.args, run.returncode, stdout, stderr)
        for run, (stdout, stderr) in zip(runs, outputs, strict=True)
    ]
    return FirstRuns(before, services(), results)


def test_two_first_runs_at_once_both_work(first_runs: FirstRuns) -> None:
    assert [result.returncode for result in first_runs.results] == [0, 0], first_runs.results


def test_only_one_of_them_sets_up(first_runs: FirstRuns) -> None:
    told = "".join(result.stderr for result in first_runs.results)

    assert told.count("making the virtual environment") == 1


def test_what_setting_up_says_stays_off_stdout(
    first_runs: FirstRuns, clone: Path, shell: Shell
) -> None:
    later = shell.run(clone / "tools" / "lab", "--help")

    assert later.stderr == ""
    assert {result.stdout for result in first_runs.results} == {later.stdout}


def test_setting_up_opens_no_port(first_runs: FirstRuns) -> None:
    assert first_runs.after.listening - first_runs.before.listening == set()


def test_setting_up_enables_no_service(first_runs: FirstRuns) -> None:
    assert first_runs.after.enabled_units == first_runs.before.enabled_units


@pytest.mark.usefixtures("first_runs")
def test_lab_can_be_called_through_a_link(clone: Path, shell: Shell, tmp_path: Path) -> None:
    link = tmp_path / "lab"
    link.symlink_to(clone / "tools" / "lab")

    assert shell.run(link, "--help").returncode == 0


@pytest.mark.usefixtures("first_runs")
def test_the_users_own_modules_do_not_get_in_the_way(
    clone: Path, shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "lab.py").write_text("raise SystemExit('a stranger')\n")

    result = shell.run(clone / "tools" / "lab", "--help", PYTHONPATH=str(tmp_path))

    assert result.returncode == 0, result.stderr


def test_a_set_up_that_was_killed_is_done_again(clone: Path, shell: Shell, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    # A killed pip leaves its temporary files.
    environ = {"LAB_VENV": str(environment), "TMPDIR": str(tmp_path)}
    run = shell.start(clone / "tools" / "lab", "--help", **environ)
    wait_for(environment / "bin" / "python")
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()

    again = shell.run(clone / "tools" / "lab", "--help", **environ)

    assert again.returncode == 0, again.stderr
    assert "making the virtual environment" in again.stderr


def wait_for(path: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.01)
