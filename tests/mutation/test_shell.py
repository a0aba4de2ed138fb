"""Scripts as simple commands: where each begins and ends, and what is left without it."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.mutation.shell import read_script

# Each is a piece of a script with the commands that it holds, None for itself.
PIECES: tuple[tuple[str, list[str] | None], ...] = (
    ("ip link set eth0 up", ["ip link set eth0 up"]),
    ("a=1 sysctl -w net.ipv4.ip_forward=1", ["a=1 sysctl -w net.ipv4.ip_forward=1"]),
    ("echo 'a; b' \"c && $(date; id)\" > /dev/null", None),
    ("echo 1 2>&1 >/dev/null", None),
    ("false || true", ["false", "true"]),
    ("echo a | cat; echo b &", ["echo a", "cat", "echo b"]),
    ("( cd / && ls )", ["cd /", "ls"]),
    ("echo a \\\n  b", ["echo a \\\n  b"]),
    ('x=$(echo \')\' "${HOME#"/"}")', None),
    ("echo `echo ';'`", None),
    ("echo $'it\\'s' a#b ${x//;/}", None),
    ("a=(1 ';' 3)", None),
    ("cat <(echo a; echo b)", None),
    ("# only a comment; ls", []),
    ("", []),
)
WRAPPINGS = (
    "{}",
    "if true; then\n{}\n:\nfi",
    "for i in 1 2; do :\n{}\ndone",
    "while false; do\n{}\n:\ndone",
    "f() {{\n{}\n:\n}}",
    "case $x in a|b) :\n{}\n;; esac",
)


def spans(text: str) -> list[str]:
    return [text[slice(*command.span)] for command in read_script(text).commands]


def is_shell(text: str) -> bool:
    return subprocess.run(["bash", "-n", "-c", text], capture_output=True).returncode == 0


@pytest.mark.parametrize(("text", "commands"), PIECES)
def test_a_piece_of_script_and_its_commands(text: str, commands: list[str] | None) -> None:
    assert is_shell(text)
    assert spans(text) == ([text] if commands is None else commands)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_commands_within_a_compound_command_are_found(wrapping: str) -> None:
    assert "ip link set eth0 up" in spans(wrapping.format("ip link set eth0 up # down?"))


@given(
    st.sampled_from(WRAPPINGS),
    st.lists(st.sampled_from([text for text, _ in PIECES]), min_size=1, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_without_a_command_a_script_is_a_script_still(wrapping: str, pieces: list[str]) -> None:
    text = wrapping.format("\n".join(pieces))
    script = read_script(text)
    for command in script.commands:
        if command.words[0] in ("for", "case"):
            continue
        left = script.without(command)
        assert is_shell(left), left
        assert left.count("\n") == text.count("\n")


@given(st.text(alphabet="ab \t\n;&|<>(){}\"'`$\\#=-!12", max_size=60))
@settings(max_examples=1000, deadline=None)
def test_any_text_is_read_to_its_end(text: str) -> None:
    ends = [0]
    for command in sorted(read_script(text).commands, key=lambda each: each.span):
        start, end = command.span
        assert start < end <= len(text)
        ends.append(end)
    assert ends == sorted(ends)


def test_words_have_no_quotes() -> None:
    (command,) = read_script('echo "a \\"b\\"" \'c\'d\\ e $\'f\' "g\\\nh"').commands
    assert command.words == ("echo", 'a "b"', "cd e", "f", "gh")


def test_a_comment_belongs_to_the_commands_of_its_line() -> None:
    script = read_script("ls\nls; id  # why\nls '#' a#b\n")
    assert [command.comment for command in script.commands] == ["", "# why", "# why", ""]
    assert script.comments == ("# why",)


def test_a_file_that_is_written_is_a_target() -> None:
    (command,) = read_script("echo 1 2>&1 </dev/null >/proc/sys/a >> 'b c'").commands
    assert command.targets == ("/proc/sys/a", "b c")


HERE = """\
iptables-restore <<'END' | cat  # note
*filter
COMMIT
END
ls
"""


def test_the_lines_of_a_here_document_are_no_commands() -> None:
    restore, cat, ls = read_script(HERE).commands
    assert (restore.words, cat.words, ls.words) == (("iptables-restore",), ("cat",), ("ls",))
    (document,) = restore.here_documents
    assert HERE[slice(*document.body)] == "*filter\nCOMMIT\n"
    assert restore.comment == "# note"


def test_a_deleted_command_leaves_its_here_document() -> None:
    script = read_script(HERE)
    assert script.without(script.commands[0]) == HERE.replace("iptables-restore", ":")


def test_the_delimiter_of_a_here_document_may_be_indented_by_tabs() -> None:
    text = "cat <<-E\n\ta\n\tE\nls"
    cat, ls = read_script(text).commands
    assert text[slice(*cat.here_documents[0].body)] == "\ta\n"
    assert ls.words == ("ls",)
