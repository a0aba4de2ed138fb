"""What the README shows is what one gets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
README = (CHECKOUT / "README.md").read_text()
CONSOLE = re.findall(r"^```console\n\$ (.*)\n((?:.*\n)*?)^```$", README, re.MULTILINE)
(FIRST,) = re.findall(r"^```yaml\n((?:.*\n)*?)^```$", README, re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tour's folder, with the two files that the README describes in words."""
    folder = tmp_path_factory.mktemp("tour")
    (folder / "first.lab.yaml").write_text(FIRST)
    (folder / "wrong.lab.yaml").write_text(FIRST.replace("hits: 1", "hits: 2"))
    slips = FIRST.replace("outcome: connected", "outcom: connected").replace(
        "alice, to", "alise, to"
    )
    (folder / "typo.lab.yaml").write_text(slips)
    return folder


def measured(text: str) -> str:
    """The text without what differs from run to run: times, ephemeral ports, trailing blanks."""
    text = re.sub(r" +\d+(\.\d+)? (ms|s)$", " TIME", text, flags=re.MULTILINE)
    text = re.sub(r"in \d+ ms", "in TIME", text)
    text = re.sub(r"(\d+\.\d+\.\d+\.\d+):\d{5}\b", r"\1:PORT", text)
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def pattern_of(shown: str) -> str:
    """A line that is only an ellipsis stands for any lines, one at the end for the line's rest."""
    lines = [
        "(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + "\n"
        for line in shown.splitlines()
    ]
    return "".join(lines)


@pytest.mark.parametrize(("command", "shown"), CONSOLE, ids=[command for command, _ in CONSOLE])
def test_each_command_prints_what_the_readme_shows(command: str, shown: str, folder: Path) -> None:
    tool, *arguments = command.split()
    assert tool == "tools/lab"
    printed = subprocess.run(
        [sys.executable, "-m", "lab", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "LC_ALL": "C.UTF-8", "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout
    assert re.fullmatch(pattern_of(measured(shown)), measured(printed)), printed


def test_the_two_commands_are_there() -> None:
    (commands,) = re.findall(r"^```sh\n((?:.*\n)*?)^```$", README, re.MULTILINE)
    for line in commands.splitlines():
        assert os.access(CHECKOUT / line.split()[0], os.X_OK)
