"""A lab that has ended has left nothing: no process, no namespace, no mount, no file."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest

from tests.modes import leftovers
from tests.modes.invoker import Invoker
from tests.sandbox.labs import RunningLab

PATIENCE = 30.0  # seconds after which what is there will stay
BUSY = """
    setsid --fork sleep infinity </dev/null >/dev/null 2>&1
    (trap '' INT TERM HUP; exec nohup sleep infinity >/dev/null 2>&1) &
    touch /tmp/left /var/tmp/left /run/left /dev/shm/left /etc/left
    iptables -A INPUT -p tcp --dport 80 -j DROP
    ip link add left0 type bridge
"""


@pytest.fixture
def mark() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def busy_lab(invoker: Invoker, mark: str) -> Iterator[RunningLab]:
    """A lab whose processes would like to outlive it."""
    lab = RunningLab(invoker, "routed", environment={leftovers.MARK: mark})
    for node in ("a", "r", "b"):
        assert lab.run(node, BUSY).exit == 0
    yield lab
    lab.end()


def await_nothing_of(mark: str, namespaces: frozenset[str]) -> None:
    end = time.monotonic() + PATIENCE
    while left := [*leftovers.marked(mark), *leftovers.holders(namespaces)]:
        assert time.monotonic() < end, f"{left} left"
        time.sleep(0.001)
    assert leftovers.bound(namespaces) == []


def test_no_process_and_no_namespace_outlives_a_lab(busy_lab: RunningLab, mark: str) -> None:
    processes, command = leftovers.marked(mark), busy_lab.process.pid
    with leftovers.namespaces(processes, besides=command) as namespaces:
        kinds = [name.partition(":")[0] for name in namespaces]
        assert (kinds.count("net"), kinds.count("pid"), kinds.count("user")) == (4, 4, 2)
        assert busy_lab.end() == 0
        await_nothing_of(mark, namespaces)


def test_no_mount_outlives_a_lab(busy_lab: RunningLab) -> None:
    invoker = busy_lab.invoker
    before = invoker.shell("cat /proc/self/mountinfo")
    assert busy_lab.end() == 0
    assert invoker.shell("cat /proc/self/mountinfo") == before


def test_a_lab_that_is_up_has_no_mount_outside(invoker: Invoker, mark: str) -> None:
    before = invoker.shell("cat /proc/self/mountinfo")
    lab = RunningLab(invoker, "routed")
    lab.output("a", "true")
    assert invoker.shell("cat /proc/self/mountinfo") == before
    assert lab.end() == 0


def test_no_file_outlives_a_lab(invoker: Invoker, request: pytest.FixtureRequest) -> None:
    if invoker.place is None:
        pytest.skip("only root can have temporary folders that nobody else writes to")
    list_files = "find /tmp /var/tmp /run /dev/shm /home /root -xdev 2>/dev/null | sort"
    before = invoker.shell(list_files)
    busy_lab: RunningLab = request.getfixturevalue("busy_lab")
    during = invoker.shell(list_files)
    assert busy_lab.end() == 0
    assert during == before
    assert invoker.shell(list_files) == before


def test_a_lab_ends_with_its_command_although_a_node_is_busy(
    busy_lab: RunningLab, mark: str
) -> None:
    processes, command = leftovers.marked(mark), busy_lab.process.pid
    with leftovers.namespaces(processes, besides=command) as namespaces:
        busy_lab.process.terminate()
        busy_lab.process.wait()
        await_nothing_of(mark, namespaces)
