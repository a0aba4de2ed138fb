"""`run`: shell lines in a node."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from lab.model.events import CommandRan
from tests.steps.conftest import Play
from tests.steps.playing import Played


def script(lines: str, more: str = "") -> str:
    """A step that runs lines in node a; ``more`` are further keys of the step."""
    return f"- on: a\n  {more}\n  run: |\n{textwrap.indent(lines, '    ')}\n"


def failing_line(played: Played, text: str) -> str:
    """The place of a line that failed, and the line, as a failure tells them."""
    return f"{played.line(text)}: {text}"


def test_lines_that_succeed_are_told_with_what_they_printed(play: Play) -> None:
    played = play(script("echo one\necho two >&2"))
    assert played.passed
    (ran,) = played.all(CommandRan)
    assert (ran.node, ran.exit, ran.stdout, ran.stderr) == ("a", 0, "one\n", "two\n")
    assert ran.command == "echo one\necho two >&2"


@pytest.mark.parametrize(
    ("lines", "text", "end"),
    [
        pytest.param(
            "true\nnonsense --now\ntrue",
            "nonsense --now",
            "exit code 127: bash: line 2: nonsense: command not found",
            id="a command that is not there",
        ),
        pytest.param(
            "echo one\necho (\necho three",
            "echo (",
            "exit code 2: bash: -c: line 2: syntax error near unexpected token `newline'",
            id="syntax",
        ),
        pytest.param(
            "true\nls /nothing | cat\ntrue",
            "ls /nothing | cat",
            "exit code 2: ls: cannot access '/nothing': No such file or directory",
            id="in a pipe",
        ),
        pytest.param(
            "look() {\n  ls /nothing\n  true\n}\nlook",
            "ls /nothing",
            "exit code 2: ls: cannot access '/nothing': No such file or directory",
            id="in a function",
        ),
        pytest.param(
            "(\n  ls /nothing\n  true\n)\ntrue",
            "ls /nothing",
            "exit code 2: ls: cannot access '/nothing': No such file or directory",
            id="in a subshell",
        ),
        pytest.param(
            "found=$(false; echo none)\nls /nothing",
            "ls /nothing",
            "exit code 2: ls: cannot access '/nothing': No such file or directory",
            id="after a failure that ends nothing",
        ),
        pytest.param(
            "set -u\necho $NOTHING\ntrue",
            "echo $NOTHING",
            "exit code 1: bash: line 2: NOTHING: unbound variable",
            id="in bash itself",
        ),
        pytest.param(
            "true\necho seven; false", "echo seven; false", "exit code 1: seven", id="on stdout"
        ),
        pytest.param("true\nfalse", "false", "exit code 1", id="without a word"),
        pytest.param(
            "echo nonsense 7 >&$LAB_REPORT\nls /nothing",
            "ls /nothing",
            "exit code 2: ls: cannot access '/nothing': No such file or directory",
            id="though the script meddles with the report",
        ),
        pytest.param("true\nkill -9 $$", "", "a: killed by SIGKILL", id="by a signal"),
        pytest.param("true\nexit 3", "", "a: exit code 3", id="by its own decision"),
        pytest.param(
            "nonsense || true\nexit 3",
            "",
            "a: exit code 3\nbash: line 1: nonsense: command not found",
            id="by its own decision, after bash complained",
        ),
        pytest.param(
            "set +e\nfalse\nexit 3", "", "a: exit code 3", id="by its own decision, without -e"
        ),
    ],
)
def test_the_first_line_that_fails_is_told_with_the_tools_words(
    play: Play, lines: str, text: str, end: str
) -> None:
    played = play(script(lines))
    expected = (f"{failing_line(played, text)}\n{end}" if text else end).splitlines()
    # whether bash quotes a line with an error of syntax depends on its version
    assert played.reason(1).splitlines()[: len(expected)] == expected


def test_a_rule_that_iptables_refuses_is_told_in_its_words(play: Play, backend: str) -> None:
    rule = "iptables -A INPUT -p tcp --dport 80 -j WEB"
    played = play(script(f"iptables -P INPUT DROP\n{rule}"), iptables=backend)
    where, told, *_ = played.reason(1).splitlines()
    assert where == failing_line(played, rule)
    assert told.startswith("exit code 2: iptables v")
    words = {"nft": "Chain 'WEB' does not exist", "legacy": "Couldn't load target `WEB'"}
    assert words[backend] in told


def test_a_command_over_several_lines_is_told_whole_and_by_its_first(play: Play) -> None:
    played = play(script("true\niptables -t nat \\\n    -A NOWHERE \\\n    -j ACCEPT\ntrue"))
    place = played.line("iptables -t nat")
    told = played.reason(1).splitlines()
    assert told[0] == f"{place}: iptables -t nat -A NOWHERE -j ACCEPT"
    assert told[1] == "exit code 1: iptables: No chain/target/match by that name."


def test_a_failing_line_ends_the_script_and_the_scenario(play: Play) -> None:
    played = play(script("echo one; false\necho two") + script("echo three"))
    assert played.statuses == "failed skipped"
    assert played.output(1) == "one\n"
    assert played.reason(2).startswith("step 1 failed: a runs echo one")


def test_many_words_of_a_tool_are_cut_to_the_last(play: Play) -> None:
    played = play(script("seq 30 >&2; false"))
    first, *rest = played.reason(1).splitlines()[1:]
    assert first == "exit code 1: …"
    assert rest == [str(number) for number in range(11, 31)]


@pytest.mark.parametrize(
    ("expected", "lines", "observed"),
    [
        ("3", "exit 3", None),
        ("nonzero", "false\necho not reached", None),
        ("0", "true", None),
        ("3", "true", ("exit", "3", "0")),
        ("nonzero", "true", ("exit", "nonzero", "0")),
        ("0", "exit 4", ("exit", "0", "4")),
        ("1", "kill -9 $$", ("exit", "1", "killed by SIGKILL")),
    ],
)
def test_an_exit_code_can_be_expected(
    play: Play, expected: str, lines: str, observed: tuple[str, str, str] | None
) -> None:
    played = play(script(lines, f"expect: {{exit: {expected}}}"))
    assert played.passed is (observed is None)
    assert played.reason(1) == ""
    assert played.mismatches(1) == ([observed] if observed else [])
    assert "not reached" not in played.output(1)


@pytest.mark.parametrize(
    ("expected", "wanted"),
    [
        ("two", None),
        ("{contains: ne\\ntw}", None),
        ('{equals: "one\\ntwo\\n"}', None),
        ("{matches: '^tw.$'}", None),
        ("three", "contains 'three'"),
        ("{equals: one}", "one"),
        ("{matches: '^wo'}", "matches '^wo'"),
    ],
)
def test_an_output_can_be_expected(play: Play, expected: str, wanted: str | None) -> None:
    expected = expected.replace("{contains: ne\\ntw}", '{contains: "ne\\ntw"}')
    played = play(script("echo one\necho two", f"expect: {{stdout: {expected}}}"))
    assert played.mismatches(1) == ([("stdout", wanted, "one\ntwo")] if wanted else [])


def test_what_hangs_is_killed_at_the_deadline(play: Play) -> None:
    played = play(script("sleep 60", "timeout: 100ms") + script("true"))
    assert played.statuses == "failed skipped"
    assert played.reason(1) == "a: still running at the deadline of 0.1 s, killed: sleep 60"
    (ran,) = played.all(CommandRan)
    assert ran.exit == -9


def test_of_several_lines_that_hang_the_number_is_told(play: Play) -> None:
    played = play(script("true\nsleep 60", "timeout: 100ms"))
    assert played.reason(1) == "a: still running at the deadline of 0.1 s, killed: 2 lines"


def test_a_child_left_behind_does_not_keep_the_step(play: Play) -> None:
    played = play(script("echo one\nsleep 60 &", "timeout: 30s"))
    assert played.passed
    assert played.output(1) == "one\n"


def test_a_child_left_behind_that_goes_on_writing_does_not_keep_the_step(play: Play) -> None:
    assert play(script("yes &\nsleep 0.05", "timeout: 5s")).passed


def test_an_output_of_many_megabytes_is_kept_in_part(play: Play) -> None:
    played = play(script("head -c 50M /dev/zero | tr '\\0' x\necho the end >&2"))
    assert played.passed
    (ran,) = played.all(CommandRan)
    kept, rest = ran.stdout[: 1 << 20], ran.stdout[1 << 20 :]
    assert kept == "x" * (1 << 20)
    assert rest == f"\n… and {(50 << 20) - (1 << 20)} bytes more\n"
    assert ran.stderr == "the end\n"


def test_an_output_without_end_ends_at_the_deadline(play: Play) -> None:
    played = play(script("yes", "timeout: 200ms"))
    assert played.reason(1) == "a: still running at the deadline of 0.2 s, killed: yes"


def test_standard_input_is_empty(play: Play) -> None:
    played = play(script("wc -c", "expect: {stdout: {equals: '0'}}"))
    assert played.passed


def test_the_scenarios_folder_is_where_it_runs_and_cannot_be_written(
    play: Play, tmp_path: Path
) -> None:
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "beside.txt").write_text("here\n")
    played = play(
        script("pwd; cat beside.txt")
        + script("touch beside.txt", "expect: {exit: nonzero}")
        + script("touch new.txt", "expect: {exit: nonzero}")
    )
    assert played.passed
    assert played.output(1) == f"{tmp_path}/scenario\nhere\n"
    assert {file.name for file in (tmp_path / "scenario").iterdir()} == {
        "played.lab.yaml",
        "beside.txt",
    }


def test_what_files_name_can_be_read_and_nothing_else(play: Play, tmp_path: Path) -> None:
    for name in ("shown.txt", "hidden.txt", "folder/inner.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    topology = "topology: {nodes: {a: {}}}\nfiles: [../shown.txt, ../folder]\n"
    steps = (
        script("cat ../shown.txt ../folder/inner.txt")
        + script(f"ls {tmp_path}")
        + script("echo more >> ../shown.txt", "expect: {exit: nonzero}")
    )
    played = play(steps, topology)
    assert played.passed
    assert played.output(1) == "shown.txt\nfolder/inner.txt\n"
    assert played.output(2).split() == ["folder", "scenario", "shown.txt"]
    assert (tmp_path / "shown.txt").read_text() == "shown.txt\n"


def test_sudo_needs_no_password(play: Play) -> None:
    played = play(script("sudo -n id -u\nsudo GREETING=hello sh -c 'echo $GREETING'"))
    assert played.output(1) == "0\nhello\n"


def test_a_node_has_its_own_name_and_network(play: Play) -> None:
    played = play(script("hostname; cat /sys/class/net/eth0/address; ls /sys/class/net"))
    assert played.output(1).split() == ["a", "02:00:00:01:00:02", "eth0", "lo"]


def test_commands_start_with_few_variables(play: Play) -> None:
    played = play(script("env | cut -d= -f1 | sort"))
    known = {"HOME", "LAB_REPORT", "LC_ALL", "PATH", "PWD", "SHLVL", "TERM", "_"}
    assert set(played.output(1).split()) <= known


def test_the_backend_is_the_matrixs(play: Play, backend: str) -> None:
    played = play(script("iptables --version; sudo /usr/sbin/iptables --version"), iptables=backend)
    word = "nf_tables" if backend == "nft" else "legacy"
    assert played.output(1).count(word) == 2


def test_a_topologys_own_command_that_fails_fails_the_scenario(play: Play) -> None:
    topology = "topology:\n  nodes:\n    a:\n      exec: [echo ready, ls /nothing]\n"
    played = play(script("true"), topology)
    assert played.statuses == "failed skipped"
    words = "ls: cannot access '/nothing': No such file or directory"
    assert played.reason(0) == f"ls /nothing\nexit code 2: {words}"
    assert played.reason(1) == "the topology's commands failed"
    assert [ran.command for ran in played.all(CommandRan)] == ["echo ready", "ls /nothing"]
