"""The bundled test server is compiled once, wherever there is a place for it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.model.errors import ExitCode, Missing
from lab.sandbox.server_binary import server_binary

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "tools" / "origdst" / "origdst.c"
PROGRAM = "int main(void) { return 0; }\n"
CALL = """\
import sys
from pathlib import Path
from lab.sandbox.server_binary import server_binary
print(server_binary(Path(sys.argv[1]), Path(sys.argv[2])))
print("subprocess" in sys.modules)
"""


@pytest.fixture(autouse=True)
def nothing_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every folder that the function might write in is the test's own."""
    for variable, folder in (("HOME", "home"), ("TMPDIR", "tmp"), ("XDG_CACHE_HOME", "xdg")):
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / folder))
    monkeypatch.delenv("CC", raising=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A program that compiles faster than the server."""
    path = tmp_path / "program.c"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def private_folder(tmp_path: Path) -> Path:
    return tmp_path / "tmp" / f"natlab-{os.geteuid()}"


def in_another_process(source: Path, cache: Path, *prefix: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", CALL, str(source), str(cache)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_server_is_compiled_into_the_cache(cache: Path) -> None:
    binary = server_binary(SOURCE, cache)

    assert binary.parent == cache / "natlab"
    assert re.fullmatch(r"origdst-[0-9a-f]{16}", binary.name)
    assert stat.S_IMODE(binary.stat().st_mode) == 0o755
    assert subprocess.check_output([binary, "--version"], text=True).startswith("origdst ")
    assert list(binary.parent.iterdir()) == [binary]


def test_a_compiled_server_needs_no_compiler(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = server_binary(source, cache)
    monkeypatch.setenv("CC", "no-such-compiler")

    assert server_binary(source, cache) == binary


def test_a_compiled_server_is_found_without_starting_a_process(source: Path, cache: Path) -> None:
    binary = server_binary(source, cache)

    with in_another_process(source, cache) as process:
        assert process.communicate()[0] == f"{binary}\nFalse\n"


def test_a_compiled_server_is_found_within_a_millisecond(cache: Path) -> None:
    server_binary(SOURCE, cache)

    def milliseconds() -> float:
        start = time.perf_counter()
        server_binary(SOURCE, cache)
        return (time.perf_counter() - start) * 1000

    assert min(milliseconds() for _ in range(100)) < 1


def test_another_source_makes_another_binary(source: Path, cache: Path) -> None:
    before = server_binary(source, cache)
    source.write_text(PROGRAM + "/* changed */\n")
    after = server_binary(source, cache)

    assert before != after
    assert before.exists()
    assert after.exists()


def test_the_cache_is_the_users_by_default(source: Path, tmp_path: Path) -> None:
    assert server_binary(source).parent == tmp_path / "xdg" / "natlab"


@pytest.mark.parametrize("value", ["", "relative/cache"])
def test_a_cache_home_that_is_no_absolute_path_counts_as_unset(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", value)

    assert server_binary(source).parent == tmp_path / "home" / ".cache" / "natlab"


def test_cc_names_the_compiler_and_its_arguments(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.write_text("int main(void) { return STATUS; }\n")
    monkeypatch.setenv("CC", "gcc -DSTATUS=42")

    assert subprocess.run([server_binary(source, cache)], check=False).returncode == 42


def test_without_a_cache_a_private_folder_is_used(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    binary = server_binary(source, tmp_path / "file")

    assert binary.parent == private_folder(tmp_path)
    assert stat.S_IMODE(binary.parent.stat().st_mode) == 0o700
    assert server_binary(source, tmp_path / "file") == binary


def test_a_folder_that_anybody_may_write_to_is_not_used(
    source: Path, cache: Path, tmp_path: Path
) -> None:
    planted = server_binary(source, cache)
    planted.parent.chmod(0o777)

    assert server_binary(source, cache).parent == private_folder(tmp_path)


def test_a_binary_that_anybody_may_write_to_is_replaced(source: Path, cache: Path) -> None:
    binary = server_binary(source, cache)
    binary.write_text("#!/bin/sh\nexit 42\n")
    binary.chmod(0o777)

    assert subprocess.run([server_binary(source, cache)], check=False).returncode == 0
    assert stat.S_IMODE(binary.stat().st_mode) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_another_users_folder_is_not_used(source: Path, cache: Path, tmp_path: Path) -> None:
    (cache / "natlab").mkdir(parents=True)
    os.chown(cache / "natlab", 65534, 65534)

    assert server_binary(source, cache).parent == private_folder(tmp_path)


def test_a_cache_that_nothing_can_be_executed_from_is_not_used(
    source: Path, cache: Path, tmp_path: Path
) -> None:
    cache.mkdir()
    mount = f'mount -t tmpfs -o noexec none "{cache}" && exec "$@"'
    unshare = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh")

    with in_another_process(source, cache, *unshare) as process:
        output, _ = process.communicate()

    # Inside that user namespace every user of ours is root.
    assert Path(output.splitlines()[0]).parent == tmp_path / "tmp" / "natlab-0"


def test_without_any_folder_it_says_which_it_tried(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "file"))

    with pytest.raises(Missing) as missing:
        server_binary(source, tmp_path / "file")

    assert str(missing.value) == (
        f"a folder for the compiled test server: none of {tmp_path}/file/natlab, "
        f"{tmp_path}/file/natlab-{os.geteuid()} is ours to write to and to execute from\n"
        "    get it with: export XDG_CACHE_HOME=FOLDER"
    )


def test_processes_that_race_all_get_a_whole_binary(cache: Path) -> None:
    racers = [in_another_process(SOURCE, cache) for _ in range(4)]
    paths = {racer.communicate()[0].splitlines()[0] for racer in racers}

    [path] = paths
    assert subprocess.check_output([path, "--version"], text=True).startswith("origdst ")
    assert list((cache / "natlab").iterdir()) == [Path(path)]


@pytest.mark.parametrize(("cc", "named"), [("", "cc"), ("no-such-compiler", "no-such-compiler")])
def test_without_a_compiler_the_package_is_named(
    source: Path,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cc: str,
    named: str,
) -> None:
    monkeypatch.setenv("CC", cc)
    monkeypatch.setenv("PATH", str(tmp_path / "home"))

    with pytest.raises(Missing) as missing:
        server_binary(source, cache)

    assert missing.value.exit_code == ExitCode.MISSING
    assert str(missing.value) == (
        f"a C compiler ({named}): the bundled test server is compiled on first use\n"
        "    get it with: apt-get install gcc libc6-dev"
    )
    assert list((cache / "natlab").iterdir()) == []


def test_without_the_headers_the_compilers_first_error_is_told(source: Path, cache: Path) -> None:
    source.write_text("#include <no_such_header.h>\n" + PROGRAM)

    with pytest.raises(Missing) as missing:
        server_binary(source, cache)

    assert missing.value.what == "a C compiler that works (cc)"
    assert f"{source}:1:10: fatal error: no_such_header.h: " in missing.value.why
    assert "\n" not in missing.value.why
    assert missing.value.command == "apt-get install gcc libc6-dev"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "echo 'warning: odd' >&2; echo 'ld: error: no crt1.o' >&2; exit 1",
            "ld: error: no crt1.o",
        ),
        ("echo >&2; echo ' killed ' >&2; exit 1", "killed"),
        ("exit 7", "exit code 7"),
    ],
)
def test_a_compiler_that_fails_otherwise_is_quoted(
    source: Path,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    told: str,
) -> None:
    compiler = tmp_path / "compiler"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))

    with pytest.raises(Missing, match=f"and that failed: {told}"):
        server_binary(source, cache)
