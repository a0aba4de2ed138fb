"""What the command line accepts, and what it says of what it does not."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from lab import __version__
from tests.cli.conftest import Lab


def test_help_names_every_command(lab: Lab) -> None:
    shown = lab("--help")
    assert shown.returncode == 0
    commands = shown.stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in commands] == ["run", "ls", "check", "plan", "schema"]


def test_without_a_command_the_help_is_shown(lab: Lab) -> None:
    shown = lab()
    assert shown.returncode == 2
    assert "Usage: lab [OPTIONS] COMMAND" in shown.stderr


def test_the_version_is_told(lab: Lab) -> None:
    shown = lab("--version")
    assert (shown.returncode, shown.stdout) == (0, f"natlab {__version__}\n")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["-h"]])
def test_help_is_ascii_and_fits_a_terminal(lab: Lab, arguments: list[str]) -> None:
    shown = lab(*arguments, LC_ALL="C").stdout
    assert shown.isascii()
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run"], "Missing argument 'SCENARIO...'."),
        (["check"], "Missing argument 'FILE...'."),
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?"),
        (
            ["run", "x", "--junti", "f"],
            "No such option: --junti (Possible options: --json, --junit)",
        ),
        (["run", "x", "--junit"], "Option '--junit' requires an argument."),
        (
            ["run", "x", "--iptables", "nftables"],
            "Invalid value for '--iptables': 'nftables' is none of nft, legacy, all.",
        ),
        (["run", "x", "-j", "0"], "Invalid value for '-j': '0' is no number of labs."),
        (["run", "x", "-j", "many"], "Invalid value for '-j': 'many' is no number of labs."),
        (
            ["run", "x", "--kernel", "6.12"],
            "Invalid value for '--kernel': '6.12' is not yet supported, only 'host' is.",
        ),
        (
            ["run", "x", "--report", "f.html"],
            "Invalid value for '--report': this option is not yet supported.",
        ),
        (
            ["run", "x", "--pcap", "f.pcapng"],
            "Invalid value for '--pcap': this option is not yet supported.",
        ),
    ],
)
def test_a_mistake_in_the_command_line_is_bad_input(
    lab: Lab, arguments: list[str], complaint: str
) -> None:
    refused = lab(*arguments)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert f"Error: {complaint}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_checking_a_file_that_is_not_there_is_bad_input(lab: Lab) -> None:
    refused = lab("check", "none.lab.yaml")
    assert refused.returncode == 2
    assert "there is no file 'none.lab.yaml'" in refused.stderr


SCENARIO = """\
topology:
  nodes: {client: {}, server: {}}
  links: [{endpoints: [client, server], ipv4: [10.0.0.1/24, 10.0.0.2/24]}]
steps:
  - connect: {from: client, to: "server:80"}
    expect: {outcome: refused}
"""


def test_a_sound_scenario_is_told_in_a_line(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "closed.lab.yaml").write_text(SCENARIO)
    checked = lab("check", "closed.lab.yaml")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == "closed.lab.yaml: ok, 2 nodes, 1 step, iptables nft and legacy\n"


def test_the_mistakes_of_all_files_are_told(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "a.lab.yaml").write_text(SCENARIO.replace("from: client", "from: cleint"))
    (tmp_path / "b.lab.yaml").write_text(SCENARIO)
    (tmp_path / "c.lab.yaml").write_text(SCENARIO.replace("refused", "refsued"))
    checked = lab("check", ".")
    assert checked.returncode == 2
    assert checked.stdout == "b.lab.yaml: ok, 2 nodes, 1 step, iptables nft and legacy\n"
    places = [line for line in checked.stderr.splitlines() if not line.startswith(" ")]
    assert [place.partition(" ")[0] for place in places] == ["a.lab.yaml:5:21:", "c.lab.yaml:6:23:"]


def test_the_catalogue_is_listed(lab: Lab) -> None:
    listed = lab("ls")
    assert listed.returncode == 0
    assert listed.stderr == ""


def test_the_schema_of_scenarios_is_one(lab: Lab) -> None:
    printed = lab("schema")
    assert printed.returncode == 0
    schema = json.loads(printed.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "steps" in schema["properties"]


def test_the_schema_of_events_is_printed_on_demand(lab: Lab) -> None:
    schema = json.loads(lab("schema", "--events").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "StepFinished" in schema["$defs"]
