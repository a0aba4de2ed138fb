"""Namespaces: made, held, entered and left."""

from __future__ import annotations

import os

import pytest

from lab.kernel.namespaces import Namespace, hold, inside_net, setns, unshare
from tests.kernel.own_network import own_network

NAMES = {
    Namespace.MOUNT: "mnt",
    Namespace.UTS: "uts",
    Namespace.IPC: "ipc",
    Namespace.NET: "net",
    Namespace.USER: "user",
    Namespace.PID: "pid",
}


def current(kind: Namespace) -> str:
    return os.readlink(f"/proc/thread-self/ns/{NAMES[kind]}")


@own_network
@pytest.mark.parametrize(
    "kind", [Namespace.MOUNT, Namespace.UTS, Namespace.IPC, Namespace.NET], ids=NAMES.get
)
def test_a_thread_moves_to_a_new_namespace_and_back(kind: Namespace) -> None:
    unshare(kind)  # one that is ours to come back to
    before, home = current(kind), hold(kind)
    unshare(kind)
    assert current(kind) != before
    setns(home, kind)
    assert current(kind) == before


@own_network
def test_a_new_pid_namespace_is_for_the_next_child() -> None:
    before = current(Namespace.PID)
    unshare(Namespace.PID)
    assert current(Namespace.PID) == before
    child = os.fork()
    if child == 0:
        os._exit(os.getpid() + 6)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@own_network
@pytest.mark.parametrize("kind", [*NAMES], ids=NAMES.get)
def test_a_namespace_is_held_of_this_thread_or_of_a_process(kind: Namespace) -> None:
    for pid in (None, os.getpid()):
        descriptor = hold(kind, pid)
        assert os.readlink(f"/proc/self/fd/{descriptor}") == current(kind)
        assert not os.get_inheritable(descriptor)


@own_network
def test_a_visit_to_another_network_ends_at_home() -> None:
    home = hold(Namespace.NET)
    unshare(Namespace.NET)
    other, away = hold(Namespace.NET), current(Namespace.NET)
    setns(home, Namespace.NET)
    before = current(Namespace.NET)
    with inside_net(other, home):
        assert current(Namespace.NET) == away
    assert current(Namespace.NET) == before


@own_network
def test_a_visit_that_fails_ends_at_home_too() -> None:
    home = hold(Namespace.NET)
    before = current(Namespace.NET)
    unshare(Namespace.NET)
    other = hold(Namespace.NET)
    with pytest.raises(ZeroDivisionError), inside_net(other, home):
        _ = 1 / 0
    assert current(Namespace.NET) == before


@own_network
def test_a_namespace_is_entered_only_as_what_it_is() -> None:
    with pytest.raises(OSError, match="setns: Invalid argument"):
        setns(hold(Namespace.NET), Namespace.UTS)
