"""What the machine may lack, and how a run says so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lab.model.events import ScenarioFinished, ScenarioSkipped
from tests.run.conftest import Run, Write

PASSES = '- {on: a, run: "true"}\n'
# What iptables-legacy says, and ends in, where its modules are not loaded (libiptc(8)).
WORDS = "can't initialize iptables table `filter': Table does not exist (do you need to insmod?)"
NO_TABLES = f"""\
#!/bin/sh
echo "iptables v1.8.9 (legacy): {WORDS.replace("`", chr(92) + "`")}" >&2
echo "Perhaps iptables or your kernel needs to be upgraded." >&2
exit 3
"""
MODPROBE = "sudo modprobe -a ip_tables iptable_filter iptable_nat iptable_mangle iptable_raw"
REASON = f"legacy iptables has no filter table here: iptables v1.8.9 (legacy): {WORDS}"


def instead_of(tool: str, substitute: Path | str) -> tuple[str, ...]:
    """What to start a command by, so that it finds another file in place of a tool."""
    target = shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin")
    if target is None:
        pytest.skip(f"{tool} is not installed")
    space = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--mount", "-r")
    script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
    return (*space, "sh", "-c", script, "-", str(substitute), os.path.realpath(target))


@pytest.fixture
def no_tables(tmp_path: Path) -> tuple[str, ...]:
    script = tmp_path / "no-tables"
    script.write_text(NO_TABLES)
    script.chmod(0o755)
    return instead_of("xtables-legacy-multi", script)


def test_a_variant_without_its_tables_is_skipped_and_says_why(
    run: Run, write: Write, no_tables: tuple[str, ...]
) -> None:
    ran = run(write(PASSES, iptables="[nft, legacy]"), "--json", "-", prefix=no_tables)
    assert (ran.code, ran.sums) == (0, "1 passed, 0 failed, 1 skipped")
    (skip,) = (event for event in ran.events if isinstance(event, ScenarioSkipped))
    assert (skip.iptables, skip.reason, skip.command) == ("legacy", REASON, MODPROBE)
    assert f"get it with: {MODPROBE}" in " ".join(ran.stderr.split())


def test_a_backend_that_the_command_names_is_not_skipped(
    run: Run, write: Write, no_tables: tuple[str, ...]
) -> None:
    ran = run(write(PASSES), "--iptables", "legacy", prefix=no_tables)
    assert ran.code == 3
    assert ran.stderr == f"iptables legacy: {REASON}\n    get it with: {MODPROBE}\n"
    assert ran.sums == "0 passed, 0 failed, 0 skipped"


@pytest.mark.parametrize("backend", ["nft", "legacy"])
def test_without_iptables_nothing_is_run(run: Run, write: Write, backend: str) -> None:
    tool = f"xtables-{backend}-multi"
    hidden = instead_of(tool, os.devnull)
    ran = run(write(PASSES, iptables=backend), "--json", "-", prefix=hidden)
    assert (ran.code, ran.stdout) == (3, "")
    assert ran.stderr == (
        f"iptables ({tool}): a scenario's rules are applied by the real tools\n"
        "    get it with: sudo apt-get install iptables\n"
    )


def test_without_user_namespaces_nothing_is_run(run: Run, write: Write) -> None:
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    ran = run(write(PASSES), prefix=("unshare", "--map-root-user", "sh", "-c", forbid, "-"))
    assert ran.code == 3
    assert ran.stderr == (
        "user namespaces (user.max_user_namespaces=0): labs live in user namespaces\n"
        "    get it with: sudo sysctl -w user.max_user_namespaces=16384\n"
    )


def test_inside_a_user_namespace_labs_run_as_anywhere(run: Run, write: Write) -> None:
    ran = run(write(PASSES), "--json", "-", prefix=("unshare", "--map-root-user"))
    assert (ran.code, ran.sums) == (0, "1 passed, 0 failed, 0 skipped")
    assert [event.broken for event in ran.events if isinstance(event, ScenarioFinished)] == [""]


def test_without_a_compiler_a_scenario_that_serves_is_not_run(
    run: Run, write: Write, home: Path
) -> None:
    scenario = write("- {on: a, serve: {tcp: 80}}\n")
    # a compiler that is none, and a cache that is empty
    ran = run(scenario, prefix=("env", "CC=no-such-compiler", f"XDG_CACHE_HOME={home}/empty"))
    assert ran.code == 3
    assert ran.stderr.startswith("a C compiler (no-such-compiler): ")
