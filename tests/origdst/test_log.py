"""The log on stdout: what it says, when, and what becomes of it when nobody reads."""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.origdst.conftest import Build, Launcher, Namespace


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The read and the write end of a pipe with room for one page."""
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
    yield read_end, write_end
    os.close(read_end)
    os.close(write_end)


def read_log(read_end: int, is_whole: Callable[[list[str]], bool]) -> list[str]:
    """The lines of the log, read until they are what the caller waits for."""
    text = b""
    while not is_whole(lines := text[: text.rfind(b"\n") + 1].decode().splitlines()):
        assert select.select([read_end], [], [], 30)[0], f"the log stops after {lines}"
        text += os.read(read_end, 1 << 16)
    return lines


def read_lines(read_end: int, count: int) -> list[str]:
    return read_log(read_end, lambda lines: len(lines) >= count)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["80"], "ready tcp 80"),
        (["--udp", "53"], "ready udp 53"),
        (["81", "--udp", "53", "--tcp", "80"], "ready tcp 80 81 udp 53"),
        (["--json", "80"], '{"event":"ready","name":"","tcp":[80],"udp":[]}'),
        (
            ["--json", "--name", "b", "80", "81", "--udp", "53"],
            '{"event":"ready","name":"b","tcp":[80,81],"udp":[53]}',
        ),
    ],
)
def test_the_first_line_says_what_is_served(
    serve: Launcher, arguments: list[str], line: str
) -> None:
    assert serve.start(*arguments).line() == line


def test_the_first_line_is_whole_however_many_ports_there_are(serve: Launcher) -> None:
    ports = [str(port) for port in range(10_000, 11_000)]

    assert serve.start(*ports, "--bind", "127.0.0.1").line() == "ready tcp " + " ".join(ports)


def test_text_is_the_answer_after_its_protocol(namespace: Namespace, serve: Launcher) -> None:
    server = serve("80", "--udp", "53")

    with namespace.connect("127.0.0.1", 80) as client:
        assert server.line() + "\n" == "tcp " + client.read_all()
    with namespace.udp("127.0.0.1", 53) as client:
        client.send(b"?")
        assert server.line() + "\n" == "udp " + client.recv(4096).decode()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_json_carries_every_address_and_the_reason_for_none(
    namespace: Namespace, serve: Launcher, untracked: str, address: str
) -> None:
    server = serve("--json", "--name", "b", "80", "--udp", "53")

    for proto, client, port, reason in (
        ("tcp", namespace.connect(address, 80), 80, untracked),
        ("udp", namespace.udp(address, 53), 53, "strerror: Protocol not available, errno: 92"),
    ):
        with client:
            client.send(b"?")
            text, _, number = reason.removeprefix("strerror: ").partition(", errno: ")
            assert json.loads(server.line()) == {
                "event": "connection",
                "proto": proto,
                "name": "b",
                "source": {"ip": address, "port": client.getsockname()[1]},
                "dest": {"ip": address, "port": port},
                "original_error": {"strerror": text, "errno": int(number)},
            }


@pytest.mark.parametrize("name", ['a"b\\c', "tab\there\x01", "路由器", "x" * 255, "\x01" * 255])
def test_any_name_makes_valid_json(namespace: Namespace, serve: Launcher, name: str) -> None:
    server = serve.start("--json", "--name", name, "80")

    assert json.loads(server.line())["name"] == name
    with namespace.connect("127.0.0.1", 80) as client:
        client.read_all()
    assert json.loads(server.line())["name"] == name


def test_json_changes_nothing_on_the_wire(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    serve("--json", "80")

    with namespace.connect("127.0.0.1", 80) as client:
        assert client.read_all() == client.answer(untracked)


def test_whoever_has_the_answer_finds_the_line(
    namespace: Namespace, serve: Launcher, pipe: tuple[int, int]
) -> None:
    read_end, write_end = pipe
    serve.start("80", stdout=write_end)
    assert read_lines(read_end, 1) == ["ready tcp 80"]
    os.set_blocking(read_end, False)

    for _ in range(100):
        with namespace.connect("127.0.0.1", 80) as client:
            answer = client.read_line()
            assert os.read(read_end, 4096).decode() == f"tcp {answer}"


def test_a_full_pipe_stops_nobody_and_costs_no_line(
    namespace: Namespace, serve: Launcher, untracked: str, pipe: tuple[int, int]
) -> None:
    read_end, write_end = pipe
    serve.start("80", stdout=write_end)

    expected = ["ready tcp 80"]
    for _ in range(200):
        with namespace.connect_when_ready("127.0.0.1", 80) as client:
            answer = client.answer(untracked)
            assert client.read_all() == answer
            expected.append(f"tcp {answer}".rstrip())

    assert read_lines(read_end, len(expected)) == expected


@pytest.mark.parametrize("form", ["text", "json"])
def test_lines_beyond_the_backlog_are_counted_where_they_are_missing(
    namespace: Namespace,
    serve: Launcher,
    build: Build,
    variant: tuple[str, ...],
    pipe: tuple[int, int],
    form: str,
) -> None:
    read_end, write_end = pipe
    arguments = ["80"] if form == "text" else ["--json", "80"]
    serve.start(*arguments, stdout=write_end, binary=build(*variant, "-DLOG_BACKLOG=4096"))
    for _ in range(200):
        with namespace.connect_when_ready("127.0.0.1", 80) as client:
            client.read_all()

    *kept, gap = read_log(read_end, lambda lines: "lost" in "".join(lines[-1:]))
    lost = int(gap.split()[1]) if form == "text" else json.loads(gap)["lines"]
    assert len(kept) + lost == 1 + 200
    with namespace.connect("127.0.0.1", 80) as client:
        [line] = read_lines(read_end, 1)
        assert str(client.getsockname()[1]) in line


def test_the_log_of_a_server_without_stdout_is_in_no_socket(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    serve.start("80", stdout=subprocess.DEVNULL, prefix=("sh", "-c", 'exec "$0" "$@" <&- >&-'))

    for _ in range(10):
        with namespace.connect_when_ready("127.0.0.1", 80) as client:
            assert client.read_all() == client.answer(untracked)


def test_a_reader_that_goes_away_stops_nobody(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    server = serve("80")
    server.close_log()

    for _ in range(10):
        with namespace.connect("127.0.0.1", 80) as client:
            assert client.read_all() == client.answer(untracked)


def test_a_reader_that_goes_away_in_arrears_stops_nobody(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
    serve.start("80", stdout=write_end)
    os.close(write_end)

    for number in range(100):
        if number == 50:
            os.close(read_end)
        with namespace.connect_when_ready("127.0.0.1", 80) as client:
            assert client.read_all() == client.answer(untracked)


def test_a_full_disk_stops_nobody(namespace: Namespace, serve: Launcher, untracked: str) -> None:
    with Path("/dev/full").open("wb") as full:
        serve.start("80", stdout=full.fileno())

    for _ in range(10):
        with namespace.connect_when_ready("127.0.0.1", 80) as client:
            assert client.read_all() == client.answer(untracked)


def test_a_file_takes_the_log(namespace: Namespace, serve: Launcher, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        serve.start("80", stdout=log.fileno())

    with namespace.connect_when_ready("127.0.0.1", 80) as client:
        answer = client.read_line()
    assert (tmp_path / "log").read_text() == f"ready tcp 80\ntcp {answer}"


def test_a_socket_takes_the_log_and_may_be_full(
    namespace: Namespace, serve: Launcher, untracked: str
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        serve.start("80", stdout=theirs.fileno())
        for _ in range(100):
            with namespace.connect_when_ready("127.0.0.1", 80) as client:
                assert client.read_all() == client.answer(untracked)
        assert len(read_lines(ours.fileno(), 101)) == 101


def test_our_own_end_of_the_pipe_still_blocks(serve: Launcher, pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    serve.start("80", stdout=write_end)
    read_lines(read_end, 1)

    assert os.get_blocking(write_end)
