"""Many clients, slow clients and hostile clients: each is served as if it were alone."""

from __future__ import annotations

import resource
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.origdst.conftest import Build, Client, Launcher, Namespace


@pytest.fixture
def enough_descriptors() -> Iterator[None]:
    """Lets this process open as many sockets as the machine allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def reset(client: Client) -> None:
    """Closes with a RST: SO_LINGER with a time of zero, socket(7)."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("arguments", [["80"], ["--hold", "80"]])
@pytest.mark.usefixtures("enough_descriptors")
def test_a_thousand_clients_at_once(
    namespace: Namespace, serve: Launcher, untracked: str, arguments: list[str]
) -> None:
    server = serve(*arguments)
    idle = server.descriptors()

    with ExitStack() as open_clients:
        clients = [
            open_clients.enter_context(namespace.connect("127.0.0.1", 80)) for _ in range(1000)
        ]
        server.wait_for_descriptors(idle + 1000)
        for client in clients:
            assert client.read_line() == client.answer(untracked)
        logged = sorted(server.lines(1000))
        assert logged == sorted(f"tcp {c.answer(untracked)}".rstrip() for c in clients)
    server.wait_for_descriptors(idle)


def test_clients_that_never_read_hold_nobody_up(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    serve("80")

    with ExitStack() as open_clients:
        for _ in range(100):
            mute = open_clients.enter_context(namespace.tcp())
            mute.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            mute.connect(("127.0.0.1", 80))
        with namespace.connect("127.0.0.1", 80) as client:
            assert client.read_all() == client.answer(untracked)


def test_a_client_that_never_closes_is_closed_in_the_end_unless_held(
    namespace: Namespace, serve: Launcher, build: Build, variant: tuple[str, ...]
) -> None:
    hasty = build(*variant, "-DLINGER_SECONDS=1")
    holding = serve("--hold", "80", binary=hasty)
    closing = serve("81", binary=hasty)
    idle = holding.descriptors(), closing.descriptors()

    with namespace.connect("127.0.0.1", 80) as held, namespace.connect("127.0.0.1", 81) as client:
        held.read_line()
        client.read_all()
        closing.wait_for_descriptors(idle[1] + 1)
        closing.wait_for_descriptors(idle[1])
        assert holding.descriptors() == idle[0] + 1


def test_two_hundred_resets_amid_the_answer(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    server = serve("80")
    idle = server.descriptors()

    for number in range(200):
        client = namespace.connect("127.0.0.1", 80)
        if number % 3 == 1:
            client.recv(1)
        if number % 3 == 2:
            client.send(b"x" * 10_000)
        reset(client)

    with namespace.connect("127.0.0.1", 80) as client:
        assert client.read_all() == client.answer(untracked)
        assert server.lines(201)[-1] + "\n" == f"tcp {client.answer(untracked)}"
    server.wait_for_descriptors(idle)


def test_held_connections_survive_the_reset_of_another(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    server = serve("--hold", "80")
    idle = server.descriptors()

    with namespace.connect("127.0.0.1", 80) as held:
        reset(namespace.connect("127.0.0.1", 80))
        assert held.read_line() == held.answer(untracked)
        server.lines(2)
        server.wait_for_descriptors(idle + 1)


def test_without_descriptors_new_clients_wait_for_old_ones_to_leave(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    server = serve("--hold", "80", prefix=("prlimit", "--nofile=24:24"))

    clients = [namespace.connect("127.0.0.1", 80) for _ in range(60)]
    server.wait_for_descriptors(24)
    for client in clients:
        with client:
            assert client.read_line() == client.answer(untracked)


def test_descriptors_that_become_free_elsewhere_are_noticed(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    server = serve("--hold", "80")
    pid, idle = server.process.pid, server.descriptors()
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (idle + 1, hard))

    with namespace.connect("127.0.0.1", 80) as first, namespace.connect("127.0.0.1", 80) as second:
        assert first.read_line() == first.answer(untracked)
        second.setblocking(False)
        with pytest.raises(BlockingIOError):
            second.recv(1)
        second.settimeout(30)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
        assert second.read_line() == second.answer(untracked)


def test_the_limit_on_descriptors_is_raised_as_far_as_it_goes(serve: Launcher) -> None:
    server = serve("80", prefix=("prlimit", "--nofile=64:512"))

    assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (512, 512)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_amid_its_clients(
    namespace: Namespace, serve: Launcher, untracked: str, ending: signal.Signals
) -> None:
    server = serve("--hold", "80")

    with namespace.connect("127.0.0.1", 80) as client:
        assert client.read_line() == client.answer(untracked)
        server.process.send_signal(ending)
        assert server.process.wait(30) == 0
        assert client.read_all() == ""
