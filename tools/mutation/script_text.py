"""A script without one of its commands."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from lab.model.errors import Broken
from tools.mutation.changing import changes_network, restores_rules
from tools.mutation.marking import why_unneeded
from tools.mutation.rule_lines import rule_lines, without_line
from tools.mutation.shell import HereDocument, Script, read_script


@dataclass(frozen=True, slots=True)
class Shortened:
    """What is left of a script, and what is gone: its text and its line (from 0).

    ``unneeded`` is why the command is marked, empty for one that is not.
    """

    script: str
    gone: str
    line: int
    unneeded: str


def shortened(text: str) -> Iterator[Shortened]:
    """Delete each command of a script that changes the network, one at a time.

    A command that hands rules to iptables-restore is deleted as a whole, and rule by rule. Broken
    where what is left is no script any more.
    """
    script = read_script(text)
    for command in script.commands:
        if not changes_network(command):
            continue
        gone = " ".join(text[slice(*command.span)].replace("\\\n", " ").split())
        left = script.without(command)
        _check_syntax(left, gone)
        yield Shortened(left, gone, script.line_of(command), why_unneeded(command.comment))
        if restores_rules(command):
            for document in command.here_documents:
                yield from _without_rules(script, document)


def idle_markings(text: str) -> list[str]:
    """The markings in a script that stand behind no command that changes the network."""
    script = read_script(text)
    used = [command.comment for command in script.commands if changes_network(command)]
    return [comment for comment in script.comments if why_unneeded(comment) and comment not in used]


def _without_rules(script: Script, document: HereDocument) -> Iterator[Shortened]:
    start, end = document.body
    first = script.text.count("\n", 0, start)
    rules = script.text[start:end]
    for line in rule_lines(rules):
        left = script.text[:start] + without_line(rules, line) + script.text[end:]
        yield Shortened(left, line.text, first + line.number, line.unneeded)


def _check_syntax(left: str, gone: str) -> None:
    """A script that bash refuses as a whole would lose all of its commands, not just one."""
    ended = subprocess.run(["bash", "-n", "-c", left], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise Broken(f"cannot take this out of its script: {gone}\n    {ended.stderr.strip()}")
