"""What a process may do and when it dies, each tried in a process of its own."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.kernel import process
from lab.kernel.libc import call, syscall
from lab.kernel.namespaces import Namespace, unshare
from lab.kernel.process import Capability
from tests.kernel.own_network import own_network, run

PATIENCE = 30.0  # seconds


def forked(body: Callable[[], None]) -> int:
    """Fork a child that does something and then sleeps; it has done it when this returns."""
    done, child_done = os.pipe()
    child = os.fork()
    if child == 0:
        body()
        os.write(child_done, b"done")
        signal.pause()
    os.close(child_done)
    os.read(done, 4)
    return child


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"


@own_network
def test_a_process_dies_with_its_parent() -> None:
    reading, writing = os.pipe()

    def parent() -> None:
        child = forked(process.die_with_parent)
        os.write(writing, str(child).encode())

    parent_pid = forked(parent)
    orphan = int(os.read(reading, 16))
    assert state(orphan) in "SR"
    os.kill(parent_pid, signal.SIGKILL)
    os.waitpid(parent_pid, 0)
    end = time.monotonic() + PATIENCE
    while state(orphan) not in ("Z", "X", "gone"):
        assert time.monotonic() < end, "it lives on"
        time.sleep(0.001)


@own_network
def test_a_name_is_cut_to_15_bytes() -> None:
    process.set_name("a-name-of-more-than-15")
    assert Path("/proc/self/comm").read_text() == "a-name-of-more-\n"


@own_network
def test_a_process_that_gave_root_up_owns_its_proc_files_again_if_dumpable() -> None:
    undumpable, dumpable = 0, 1
    call("prctl", 4, undumpable, 0, 0, 0)
    assert call("prctl", 3, 0, 0, 0, 0) == undumpable
    process.set_dumpable()
    assert call("prctl", 3, 0, 0, 0, 0) == dumpable


@own_network
def test_dropped_capabilities_are_lost_to_what_is_executed() -> None:
    def effective() -> int:
        return int(run("grep CapEff /proc/self/status").split()[1], 16)

    before = effective()
    process.drop_from_bounding_set([Capability.SYS_ADMIN, Capability.MKNOD])
    lost = 1 << Capability.SYS_ADMIN | 1 << Capability.MKNOD
    assert before & lost == lost
    assert effective() == before & ~lost


@pytest.mark.parametrize("capability", [*Capability], ids=lambda capability: capability.name)
def test_a_capability_has_the_kernels_number(capability: Capability) -> None:
    shown = run(f"capsh --decode={1 << capability:x} 2>/dev/null || echo none").strip()
    if shown == "none":
        pytest.skip("no capsh here (package libcap2-bin)")
    assert shown.endswith(f"=cap_{capability.name.lower()}")


@own_network
def test_the_number_of_processes_is_bounded() -> None:
    process.limit_processes(77)
    assert resource.getrlimit(resource.RLIMIT_NPROC) == (77, 77)


@own_network
def test_a_bound_that_is_there_already_is_not_raised() -> None:
    resource.setrlimit(resource.RLIMIT_NPROC, (50, 50))
    process.limit_processes(77)
    assert resource.getrlimit(resource.RLIMIT_NPROC) == (50, 50)


@own_network
def test_the_number_of_open_files_is_raised_as_far_as_allowed() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 999))
    process.raise_descriptor_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (999, 999)


@own_network
def test_core_dumps_are_forbidden() -> None:
    process.forbid_core_dumps()
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)


@own_network
def test_memory_is_taken_from_this_process_first() -> None:
    process.prefer_as_oom_victim()
    assert Path("/proc/self/oom_score_adj").read_text() == "1000\n"


@own_network
def test_only_chosen_descriptors_stay_open() -> None:
    inherited = {int(name) for name in os.listdir("/proc/self/fd")}
    kept, lost = os.open("/", os.O_RDONLY), os.open("/", os.O_RDONLY)
    process.close_descriptors_except({*inherited, kept} - {0, 1, 2})
    for descriptor in (0, 1, 2, kept):
        os.fstat(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(lost)


@own_network
def test_a_failed_call_is_named() -> None:
    with pytest.raises(OSError, match="umount2: No such file or directory"):
        call("umount2", b"/nowhere", 0)
    with pytest.raises(OSError, match="open_tree: Bad file descriptor"):
        syscall("open_tree", 428, -1, b"relative", 0)


@own_network
def test_a_refused_namespace_is_named() -> None:
    Path("/proc/sys/user/max_net_namespaces").write_text("0")
    with pytest.raises(OSError, match="unshare: No space left on device"):
        unshare(Namespace.NET)
