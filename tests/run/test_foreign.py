"""A user's own Topo file: loaded where it can do no harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from lab.spec.foreign_topo import written_topology_of
from lab.spec.misfit import Misfit
from tests.steps.playing import CHECKOUT

# The command's part: ask for a description, with less patience than a user has.
ASK = """
import json, sys
from pathlib import Path
from lab.run import foreign
seconds, path, name, args, kwargs = map(json.loads, sys.argv[1:])
foreign._SECONDS = seconds
print(foreign.load_topology(Path(path), name, args, kwargs))
"""
HEAD = "from mininet.topo import Topo\n\n"


class Loader:
    """Loads the class `Mine` of a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "mine.py"

    def describe(
        self,
        body: str,
        *args: Any,
        seconds: float = 5.0,
        head: str = "",
        signature: str = "self, *args, **kwargs",
        **kwargs: Any,
    ) -> str:
        """The answer to a file in which `build` has this body."""
        build = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
        self.file.write_text(
            f"{HEAD}{head}\nclass Mine(Topo):\n    def build({signature}):\n{build}\n"
        )
        request = [seconds, str(self.file), "Mine", args, kwargs]
        asked = subprocess.run(
            [sys.executable, "-c", ASK, *map(json.dumps, request)],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert asked.stderr == ""
        return asked.stdout

    def nodes(self, body: str, *args: Any, **kwargs: Any) -> list[str]:
        """The names of the nodes of the topology that the file gives."""
        return [*written_topology_of(self.describe(body, *args, **kwargs), "Mine")["nodes"]]

    def mistake(self, body: str, *args: Any, **kwargs: Any) -> str:
        """What the user is told, where the file gives no topology."""
        with pytest.raises(Misfit) as caught:
            written_topology_of(self.describe(body, *args, **kwargs), "Mine")
        return f"{caught.value.message}: {caught.value.hint}"


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    return Loader(tmp_path)


def told(lines: str) -> str:
    """A body of `build` that has a host tell what an expression is worth, by its name."""
    return f"self.addHost(str({lines}))"


def test_a_class_is_built(loader: Loader) -> None:
    assert loader.nodes("for name in 'ab': self.addHost(name)") == ["a", "b"]


def test_its_arguments_are_passed(loader: Loader) -> None:
    assert loader.nodes(told("(args, kwargs)"), 1, "two", three=[3]) == [
        "((1, 'two'), {'three': [3]})"
    ]


def test_a_file_beside_it_can_be_read(loader: Loader, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("web")
    assert loader.nodes(told(f"open('{tmp_path}/names.txt').read()")) == ["web"]


def test_there_is_no_network(loader: Loader) -> None:
    body = """
    import socket
    socket.create_connection(("192.0.2.1", 80), 1)
    """
    assert "Network is unreachable" in loader.mistake(body)


def test_no_file_can_be_written(loader: Loader, tmp_path: Path) -> None:
    beside = tmp_path / "beside.txt"
    beside.write_text("kept")
    assert "Read-only file system" in loader.mistake(f"open('{beside}', 'w')")
    assert "Read-only file system" in loader.mistake(f"open('{tmp_path}/new.txt', 'w')")
    assert beside.read_text() == "kept"
    assert sorted(os.listdir(tmp_path)) == ["beside.txt", "mine.py"]


def test_no_process_of_the_machine_is_there(loader: Loader) -> None:
    pids = "sorted(int(pid) for pid in __import__('os').listdir('/proc') if pid.isdigit())"
    (seen,) = loader.nodes(told(pids))
    assert json.loads(seen)[0] == 1
    assert os.getpid() not in json.loads(seen)


def test_it_has_no_capabilities_over_its_surroundings(loader: Loader) -> None:
    body = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == -1
    self.addHost(os.strerror(ctypes.get_errno()))
    """
    assert loader.nodes(body) == ["Operation not permitted"]


def test_what_it_prints_disturbs_nobody(loader: Loader) -> None:
    body = """
    import os, sys
    print("{}")
    print("{}", file=sys.stderr)
    os.write(1, b'{"topology": {}}')
    self.addHost("a")
    """
    assert loader.nodes(body) == ["a"]


def test_megabytes_that_it_prints_disturb_nobody(loader: Loader) -> None:
    assert loader.nodes("print('x' * (50 << 20)); self.addHost('a')") == ["a"]


def test_what_takes_too_long_is_ended(loader: Loader) -> None:
    assert loader.mistake("while True: pass", seconds=1) == (
        "'Mine' is still not built after 1 s: does it loop?"
    )


def test_what_takes_too_much_memory_is_ended(loader: Loader) -> None:
    assert "MemoryError" in loader.mistake("bytearray(2 << 30)")


def test_a_topology_of_many_megabytes_is_refused(loader: Loader) -> None:
    body = "self.addHost('a', notes=['x' * (20 << 20)])"
    assert loader.mistake(body) == "'Mine' gave more than 16 MiB of topology: "


@pytest.mark.parametrize(
    ("body", "mistake"),
    [
        ("raise ValueError('no such luck')", "mine.py:6: ValueError: no such luck"),
        ("self.addLink('a')", "mine.py:6: TypeError: "),
        ("import sys; sys.exit(3)", "mine.py:6: SystemExit: 3"),
        ("self.build()", "mine.py:6: RecursionError"),
    ],
)
def test_what_it_raises_is_told_with_its_line(loader: Loader, body: str, mistake: str) -> None:
    assert loader.mistake(body).startswith(f"'Mine' cannot be built: {mistake}")


@pytest.mark.parametrize(
    ("args", "mistake"),
    [((), "missing 1 required positional argument: 'size'"), ((1, 2), "takes 2 positional")],
)
def test_arguments_that_do_not_fit_are_told(
    loader: Loader, args: tuple[int, ...], mistake: str
) -> None:
    assert mistake in loader.mistake("pass", *args, signature="self, size")


@pytest.mark.parametrize(
    "body", ["import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)"], ids=["exit", "kill"]
)
def test_a_process_that_ends_without_an_answer_is_told(loader: Loader, body: str) -> None:
    assert loader.mistake(body) == "the process that built 'Mine' died: it gave no answer"


def test_a_process_that_it_leaves_behind_does_not_keep_anybody(loader: Loader) -> None:
    body = """
    import os, time
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    self.addHost("a")
    """
    assert loader.nodes(body) == ["a"]


def test_an_answer_that_it_forges_is_only_data(loader: Loader) -> None:
    body = """
    import os
    for descriptor in range(3, 10):
        try:
            os.write(descriptor, b'{"topology": 5}')
        except OSError:
            pass
    os._exit(0)
    """
    assert loader.mistake(body) == "'Mine' gave no topology: "


def test_a_file_that_cannot_be_imported_is_told(loader: Loader) -> None:
    told = loader.mistake("pass", head="import no_such_module\n")
    assert told.startswith("the topology's file cannot be imported: mine.py:3: ModuleNotFoundError")
