"""Launching a lab: the command forks a middle process, that forks PID 1, that forks the runner.

If any of them dies, the kernel removes the rest: the middle process and PID 1 are killed with
their parents (PR_SET_PDEATHSIG), PID 1 takes its whole PID namespace along, and PID 1 ends when
the runner does.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from lab.kernel import process, seccomp, sysctl
from lab.kernel.namespaces import Namespace, hold, unshare
from lab.model.errors import Broken
from lab.sandbox import fence as fences
from lab.sandbox.fence import Fence, Mode
from lab.sandbox.root import Clones, RootPlan, build, clone_exposed

Task = Callable[[int], int]
"""What the runner does: given the descriptor that events go to, it returns the exit code."""

# A fork bomb in a node stops here; 1000 idle hosts need none, a busy host a handful.
_MAX_PROCESSES = 4096
_BROKEN_EXIT = 99
_OUTER = Namespace.PID | Namespace.MOUNT | Namespace.IPC | Namespace.UTS
_INNER = Namespace.MOUNT | Namespace.NET | Namespace.UTS | Namespace.IPC | Namespace.CGROUP


@dataclass(frozen=True, slots=True)
class Launched:
    """A lab's middle process, and the descriptor from which its events are read."""

    pid: int
    events: int


@dataclass(frozen=True, slots=True)
class _Inside:
    """What the processes of a lab carry along from fork to fork."""

    fence: Fence
    root: RootPlan
    task: Task
    events: int
    clones: Clones | None


def launch(fence: Fence, root: RootPlan, task: Task) -> Launched:
    """Start a lab whose runner executes ``task``; call from the main thread only.

    PR_SET_PDEATHSIG is tied to the thread that forks, so a lab launched from another thread
    would die with that thread. Raises Missing where user namespaces are refused.
    """
    events, events_inside = os.pipe()
    near, far = socket.socketpair()
    orchestrator = os.getpid()
    # host root's own files are out of reach for the uid that it becomes in the lab
    clones = clone_exposed(root) if fence.mode is Mode.ROOT else None
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        inside = _Inside(fence, root, task, events_inside, clones)
        _guarded(events_inside, lambda: _middle(inside, far, orchestrator))
    gc.unfreeze()
    os.close(events_inside)
    far.close()
    with near:
        try:
            _await_user_namespace(near)
            _admit(fence, pid, clones)
            near.send(b"mapped")
        except BaseException:
            os.close(events)
            near.close()
            os.waitpid(pid, 0)
            raise
    return Launched(pid, events)


def _admit(fence: Fence, pid: int, clones: Clones | None) -> None:
    """Map the ids of the new user namespace, and hand host root's files over to its root."""
    fences.write_maps(fence, pid)
    if clones is not None:
        user_namespace = hold(Namespace.USER, pid)
        clones.give_to(user_namespace)
        os.close(user_namespace)
        clones.close()


def _await_user_namespace(near: socket.socket) -> None:
    answer = near.recv(64).decode()
    if not answer:
        raise Broken("the lab's first process died while the lab was being started")
    if answer != "unshared":
        raise fences.refusal(int(answer))


def _guarded(events: int, body: Callable[[], int]) -> NoReturn:
    """Run a forked child's life and never return into the parent's code.

    What breaks inside is told as one line on the event pipe.
    """
    code = _BROKEN_EXIT
    try:
        code = body()
    except BaseException:  # noqa: BLE001 -- a fork must end here, whatever happened
        report = {"event": "broken", "traceback": traceback.format_exc()}
        with contextlib.suppress(OSError):
            os.write(events, (json.dumps(report) + "\n").encode())
    finally:
        os._exit(code)


def _middle(inside: _Inside, far: socket.socket, orchestrator: int) -> int:
    """Enter the outer user namespace, fork PID 1 and wait for it."""
    fence, events = inside.fence, inside.events
    files = () if inside.clones is None else inside.clones.descriptors
    process.close_descriptors_except({events, far.fileno(), *files})
    _default_signals()
    os.setsid()
    process.set_name("lab-sandbox")
    try:
        unshare(Namespace.USER)
    except OSError as error:
        far.send(str(error.errno).encode())
        return _BROKEN_EXIT
    far.send(b"unshared")
    if far.recv(16) != b"mapped":
        return _BROKEN_EXIT
    far.close()
    _become_root(fence)
    process.die_with_parent()
    if os.getppid() != orchestrator:
        return _BROKEN_EXIT
    process.prefer_as_oom_victim()
    unshare(_OUTER)
    alive, lifeline = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(lifeline)
        _guarded(events, lambda: _init(inside, alive))
    os.close(alive)
    os.close(events)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


def _become_root(fence: Fence) -> None:
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    if fence.mode is not Mode.SINGLE:
        os.setgroups([])
    # the change of uid made /proc/self root's; the inner id map could not be written
    process.set_dumpable()


def _init(inside: _Inside, alive: int) -> int:
    """Live as PID 1: build the root, enter the inner user namespace, run the runner, reap."""
    process.die_with_parent()
    _die_if_orphaned(alive)
    process.set_name("lab-init")
    build(inside.root, inside.clones)
    process.forbid_core_dumps()
    process.raise_descriptor_limit()
    process.limit_processes(_MAX_PROCESSES)
    _enter_inner(inside.fence)
    # changed credentials have cleared it
    process.die_with_parent()
    _die_if_orphaned(alive)
    seccomp.install(fake_setgroups=inside.fence.mode is Mode.SINGLE)
    runner = os.fork()
    if runner == 0:
        process.set_name("lab-runner")
        _guarded(inside.events, lambda: inside.task(inside.events))
    os.close(inside.events)
    return _reap_until(runner)


def _die_if_orphaned(alive: int) -> None:
    """End if the middle process died before PR_SET_PDEATHSIG could hold.

    In a new PID namespace getppid() is 0 whether the parent lives or not; a pipe that only it
    holds open tells.
    """
    readable, _, _ = select.select([alive], [], [], 0)
    if readable:
        os._exit(_BROKEN_EXIT)


def _enter_inner(fence: Fence) -> None:
    """Enter the inner user namespace, its maps written by a child left in the outer one."""
    near, far = socket.socketpair()
    writer = os.fork()
    if writer == 0:
        code = 1
        try:
            near.close()
            far.recv(16)
            fences.write_inner_maps(fence, 1)
            code = 0
        finally:
            os._exit(code)
    far.close()
    # the outer namespace's limit, out of reach from inside the inner one: that one and no third,
    # so that nothing inside may gain rights over a namespace of its own
    sysctl.write("user.max_user_namespaces", "1")
    with near:
        unshare(Namespace.USER)
        near.send(b"unshared")
        _, status = os.waitpid(writer, 0)
    if status:
        raise Broken("the lab's inner id map was refused")
    unshare(_INNER)


def _reap_until(runner: int) -> int:
    """Collect every orphan of the PID namespace; the runner's end is the lab's end."""
    while True:
        pid, status = os.wait()
        if pid == runner:
            return os.waitstatus_to_exitcode(status) & 0xFF


def _default_signals() -> None:
    """Undo the command's handlers: here a signal means what it means to any program."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
