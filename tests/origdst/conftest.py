"""A network namespace of its own for each test, and the server running inside it."""

from __future__ import annotations

import os
import select
import shlex
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "tools" / "origdst" / "origdst.c"
BROKER = Path(__file__).with_name("socket_broker.py")
DEADLINE = 30.0  # seconds: far more than anything here takes, even on a busy machine
VARIANTS = {
    "plain": ("-O2",),
    "sanitized": ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
}

SO_ORIGINAL_DST = 80  # linux/netfilter_ipv4.h

Build = Callable[..., Path]


class Client(socket.socket):
    """A socket that knows what the server must tell it."""

    def read_all(self) -> str:
        """What the other side sends until it closes."""
        received = bytearray()
        while chunk := self.recv(1 << 16):
            received += chunk
        return received.decode()

    def read_line(self) -> str:
        """What the other side sends up to the first line feed."""
        received = bytearray()
        while not received.endswith(b"\n"):
            chunk = self.recv(1)
            assert chunk, f"closed after {bytes(received)!r}"
            received += chunk
        return received.decode()

    def answer(self, original: str, dest: tuple[str, int] | None = None) -> str:
        """The line that this client must get: its own idea of both ends, and the last group."""
        source_ip, source_port = self.getsockname()[:2]
        dest_ip, dest_port = dest or self.getpeername()[:2]
        return (
            f"source{{ip: {source_ip}, port: {source_port}}}; "
            f"dest{{ip: {dest_ip}, port: {dest_port}}}; original dest{{{original}}}\n"
        )


class Namespace:
    """A user and a network namespace with `lo` up, alive as long as this object is open."""

    def __init__(self) -> None:
        self._asker, theirs = socket.socketpair()
        self._asker.settimeout(DEADLINE)
        with theirs:
            self._broker = subprocess.Popen(
                [
                    *("unshare", "--user", "--map-root-user", "--net", "--"),
                    *(sys.executable, "-I", "-S", str(BROKER), str(theirs.fileno())),
                ],
                pass_fds=[theirs.fileno()],
            )
        assert self._asker.recv(1) == b".", "no namespace: are user namespaces allowed?"
        self.enter = (
            *("nsenter", f"--target={self._broker.pid}"),
            *("--user", "--net", "--preserve-credentials", "--"),
        )

    def close(self) -> None:
        self._asker.close()
        self._broker.wait(DEADLINE)

    def run(self, command: str) -> str:
        """Runs a command inside, which must succeed."""
        done = subprocess.run(
            [*self.enter, *shlex.split(command)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def socket(self, family: int, kind: int) -> Client:
        self._asker.send(struct.pack("ii", family, kind))
        _, (fd,), _, _ = socket.recv_fds(self._asker, 1, 1)
        made = Client(fileno=fd)
        made.settimeout(DEADLINE)
        return made

    def tcp(self, address: str = "127.0.0.1") -> Client:
        """An unconnected TCP socket of the address's family."""
        return self.socket(_family(address), socket.SOCK_STREAM)

    def connect(self, address: str, port: int) -> Client:
        client = self.tcp(address)
        client.connect((address, port))
        return client

    def connect_when_ready(self, address: str, port: int) -> Client:
        """Connects to a server that cannot tell when it is ready."""
        end = time.monotonic() + DEADLINE
        while True:
            try:
                return self.connect(address, port)
            except ConnectionRefusedError:
                assert time.monotonic() < end, f"nobody listens on port {port}"
                time.sleep(0.002)

    def udp(self, address: str, port: int, source: str = "") -> Client:
        """A connected UDP socket: it hears only what comes from that address and port."""
        client = self.socket(_family(address), socket.SOCK_DGRAM)
        if source:
            client.bind((source, 0))
        client.connect((address, port))
        return client


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Server:
    """A running server: its process and the lines of its log."""

    def __init__(self, process: subprocess.Popen[bytes], log: int | None, stderr: Path) -> None:
        self.process = process
        self._log = log
        self._stderr = stderr
        self._unread = b""

    def line(self) -> str:
        """The next line of the log, without its line feed."""
        while b"\n" not in self._unread:
            self._unread += self._read()
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def lines(self, count: int) -> list[str]:
        return [self.line() for _ in range(count)]

    def _read(self) -> bytes:
        assert self._log is not None
        assert select.select([self._log], [], [], DEADLINE)[0], "no line in the log"
        chunk = os.read(self._log, 1 << 16)
        assert chunk, f"the log ended: {self.stderr()}"
        return chunk

    def close_log(self) -> None:
        """Nobody reads the log from here on."""
        if self._log is not None:
            os.close(self._log)
        self._log = None

    def stderr(self) -> str:
        return self._stderr.read_text()

    def descriptors(self) -> int:
        """How many file descriptors the server has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def wait_for_descriptors(self, count: int) -> None:
        """Returns once the server has that many file descriptors open."""
        end = time.monotonic() + DEADLINE
        while (now := self.descriptors()) != count:
            assert time.monotonic() < end, f"{now} descriptors are open, not {count}"
            time.sleep(0.002)

    def stop(self) -> None:
        """SIGTERM ends every server with exit code 0; a sanitizer's report would be on stderr."""
        self.process.terminate()
        assert self.process.wait(DEADLINE) == 0, self.stderr()
        assert self.stderr() == ""


class Launcher:
    """Starts servers in a namespace."""

    def __init__(self, namespace: Namespace, binary: Path, folder: Path) -> None:
        self._namespace = namespace
        self._binary = binary
        self._folder = folder
        self.servers: list[Server] = []

    def start(
        self,
        *arguments: str,
        stdout: int | None = None,
        prefix: tuple[str, ...] = (),
        binary: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> Server:
        """A server that may not be ready yet, and that the kernel kills if this process dies.

        Args:
            stdout: where its log goes instead of to the Server object.
            prefix: a command that executes the rest of its arguments.
            binary: another build.
            env: additional environment variables.
        """
        stderr = self._folder / f"stderr.{len(self.servers)}"
        log, write_end = os.pipe() if stdout is None else (None, stdout)
        with stderr.open("wb") as errors:
            process = subprocess.Popen(
                [
                    *(*self._namespace.enter, "setpriv", "--pdeathsig=KILL", "--"),
                    *(*prefix, str(binary or self._binary), *arguments),
                ],
                stdout=write_end,
                stderr=errors,
                env={**os.environ, **(env or {})},
            )
        if stdout is None:
            os.close(write_end)
        self.servers.append(Server(process, log, stderr))
        return self.servers[-1]

    def __call__(
        self, *arguments: str, prefix: tuple[str, ...] = (), binary: Path | None = None
    ) -> Server:
        """A server that has said that it is ready."""
        server = self.start(*arguments, prefix=prefix, binary=binary)
        assert "ready" in server.line()
        return server


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    made = Namespace()
    yield made
    made.close()


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compiles the server with the flags given, each set of flags once."""
    folder = tmp_path_factory.mktemp("origdst")
    built: dict[tuple[str, ...], Path] = {}

    def compile_with(*flags: str) -> Path:
        if flags not in built:
            binary = folder / f"origdst-{len(built)}"
            command = ["gcc", "-std=c11", *flags, "-o", str(binary), str(SOURCE)]
            subprocess.run(command, check=True)
            built[flags] = binary
        return built[flags]

    return compile_with


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The compiler flags of a build; every test of the server runs with each."""
    flags: tuple[str, ...] = VARIANTS[request.param]
    return flags


@pytest.fixture
def origdst(build: Build, variant: tuple[str, ...]) -> Path:
    return build(*variant)


@pytest.fixture
def serve(namespace: Namespace, origdst: Path, tmp_path: Path) -> Iterator[Launcher]:
    """Starts servers; when the test is over each must end cleanly and have reported nothing."""
    launcher = Launcher(namespace, origdst, tmp_path)
    with ExitStack() as at_end:
        yield launcher
        for server in launcher.servers:
            at_end.callback(_reap, server)
            at_end.callback(server.stop)


def _reap(server: Server) -> None:
    server.process.kill()
    server.process.wait(DEADLINE)
    server.close_log()


@pytest.fixture
def untracked(namespace: Namespace) -> str:
    """What SO_ORIGINAL_DST says of a connection that nothing tracks, asked for by other means."""
    with namespace.tcp() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with (
            namespace.connect(*listener.getsockname()),
            listener.accept()[0] as accepted,
            pytest.raises(OSError, match="Errno") as refused,
        ):
            accepted.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
    return f"strerror: {refused.value.strerror}, errno: {refused.value.errno}"
