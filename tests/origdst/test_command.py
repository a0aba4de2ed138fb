"""The command line, and what it says to those who mistype it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.origdst.conftest import Build, Launcher, Namespace


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no port given"),
        (["--hold"], "no port given"),
        (["http"], "bad port 'http': a port is a number from 0 to 65535"),
        (["65536"], "bad port '65536': a port is a number from 0 to 65535"),
        (["000080"], "bad port '000080': a port is a number from 0 to 65535"),
        (["--udp", "+53"], "bad port '+53': a port is a number from 0 to 65535"),
        (["--tcp", ""], "bad port '': a port is a number from 0 to 65535"),
        (["80", "--tcp", "80"], "tcp port 80 is given twice"),
        (["--udp", "53", "--udp", "53"], "udp port 53 is given twice"),
        (["--tcp"], "option '--tcp' needs a value"),
        (["--hold=yes", "80"], "option '--hold=yes' takes no value"),
        (["--quiet", "80"], "unknown option '--quiet'"),
        (["-vx", "80"], "unknown option '-v'"),
        (
            ["--bind", "localhost", "80"],
            "bad address 'localhost': --bind takes a numeric IPv4 or IPv6 address",
        ),
        (["--name", "x" * 256, "80"], "--name takes at most 255 bytes"),
    ],
)
def test_a_mistake_is_named_and_nothing_runs(
    origdst: Path, arguments: list[str], message: str
) -> None:
    done = run(origdst, *arguments)

    assert done.stderr == f"origdst: {message}\ntry 'origdst --help'\n"
    assert (done.returncode, done.stdout) == (2, "")


def test_help_names_every_option(origdst: Path) -> None:
    done = run(origdst, "--help")

    assert (done.returncode, done.stderr) == (0, "")
    for option in ("--tcp", "--udp", "--bind", "--hold", "--json", "--name", "--version"):
        assert option in done.stdout


def test_version(origdst: Path) -> None:
    done = run(origdst, "--version")

    assert (done.returncode, done.stdout, done.stderr) == (0, "origdst 1.0\n", "")


@pytest.mark.parametrize(
    ("arguments", "port"), [(["80"], "tcp port 80"), (["--udp", "53"], "udp port 53")]
)
@pytest.mark.parametrize("taken_in", ["127.0.0.1", "::1"])
def test_a_port_in_use_is_named_before_anything_is_served(
    namespace: Namespace,
    serve: Launcher,
    origdst: Path,
    arguments: list[str],
    port: str,
    taken_in: str,
) -> None:
    serve("--bind", taken_in, *arguments)

    done = run(*namespace.enter, origdst, "1", *arguments)

    assert done.stderr == f"origdst: cannot listen on {port}: Address already in use\n"
    assert (done.returncode, done.stdout) == (1, "")


def test_an_address_of_another_host_cannot_be_bound(namespace: Namespace, origdst: Path) -> None:
    done = run(*namespace.enter, origdst, "--bind", "192.0.2.1", "80")

    message = "origdst: cannot listen on tcp port 80: Cannot assign requested address\n"
    assert (done.returncode, done.stderr) == (1, message)


def test_a_port_can_be_taken_again_at_once(namespace: Namespace, serve: Launcher) -> None:
    first = serve("80")
    with namespace.connect("127.0.0.1", 80) as client:
        client.read_all()
    first.stop()

    serve("80")


def test_a_kernel_without_ipv6_is_served_over_ipv4(
    namespace: Namespace, serve: Launcher, build: Build, untracked: str, tmp_path: Path
) -> None:
    without_ipv6 = tmp_path / "without_ipv6.c"
    without_ipv6.write_text(
        "#define _GNU_SOURCE\n"
        "#include <errno.h>\n#include <sys/socket.h>\n#include <sys/syscall.h>\n"
        "#include <unistd.h>\n"
        "int socket(int family, int type, int protocol)\n"
        "{\n"
        "    if (family == AF_INET6) { errno = EAFNOSUPPORT; return -1; }\n"
        "    return (int)syscall(SYS_socket, family, type, protocol);\n"
        "}\n"
    )
    library = tmp_path / "without_ipv6.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, without_ipv6], check=True)

    server = serve.start("80", binary=build("-O2"), env={"LD_PRELOAD": str(library)})

    assert server.line() == "ready tcp 80"
    with namespace.connect("127.0.0.1", 80) as client:
        assert client.read_all() == client.answer(untracked)
    with pytest.raises(ConnectionRefusedError):
        namespace.connect("::1", 80)
