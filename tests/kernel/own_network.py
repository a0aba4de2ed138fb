"""Runs a test in a process with a user and a network namespace of its own."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import pytest

from lab.kernel.namespaces import Namespace, inside_net, unshare

DEADLINE = 60  # seconds: far more than any test takes, even on a busy machine

Arguments = ParamSpec("Arguments")


def own_network(test: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Has a test run where it is root of an empty network with `lo` up, and nothing else."""

    @functools.wraps(test)
    def run_in_child(*arguments: Arguments.args, **keywords: Arguments.kwargs) -> None:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            signal.alarm(DEADLINE)
            os.write(writing, _report(lambda: test(*arguments, **keywords)))
            os._exit(0)
        os.close(writing)
        with open(reading, encoding="utf-8") as pipe:
            report = pipe.read()
        os.waitpid(child, 0)
        if report != "passed":
            pytest.fail(report or "the process died or hung", pytrace=False)

    return run_in_child


def run(command: str, *descriptors: int) -> str:
    """Runs shell lines, which must succeed, and returns their output.

    ``descriptors`` are open in them under their own numbers.
    """
    done = subprocess.run(
        ["bash", "-ec", command],
        capture_output=True,
        text=True,
        check=False,
        pass_fds=descriptors,
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def join(home: int, near: str, here: int, far: str) -> None:
    """Puts a cable between two network namespaces; the calling thread is in the second one."""
    (near_name, near_address), (far_name, far_address) = near.split(), far.split()
    # its own descriptor: another process may not look into one that has changed credentials
    namespace = f"/proc/self/fd/{home}"
    run(f"ip link add {far_name} type veth peer name {near_name} netns {namespace}", home)
    run(f"ip addr add {far_address} dev {far_name}; ip link set {far_name} up")
    with inside_net(home, here):
        run(f"ip addr add {near_address} dev {near_name}; ip link set {near_name} up")


def _report(test: Callable[[], None]) -> bytes:
    try:
        _enter()
        test()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent must tell it
        return traceback.format_exc().encode()
    return b"passed"


def _enter() -> None:
    uid, gid = os.geteuid(), os.getegid()
    unshare(Namespace.USER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    # Only now: the files of /proc/net belong to whom uid 0 is when the network is made.
    unshare(Namespace.NET)
    # iptables-legacy would lock the machine's own /run/xtables.lock.
    os.environ["XTABLES_LOCKFILE"] = "/dev/null"
    run("ip link set lo up")
