"""A script without one of its commands."""

from __future__ import annotations

import pytest

from lab.model.errors import Broken
from tools.mutation.script_text import idle_markings, shortened

SCRIPT = """\
# two rules, and how many there are
iptables -A INPUT -p tcp --dport 80 -j ACCEPT
sudo iptables -A INPUT \\
    -j DROP  # unneeded: it is the policy
iptables -L | wc -l
for port in 80 81; do iptables -I INPUT -p tcp --dport $port; done
"""
RESTORE = """\
ip route del default
iptables-restore <<END
*filter
:INPUT DROP [0:0]
# unneeded: it is the policy
-A INPUT -j DROP
COMMIT
END
"""


def test_each_command_that_changes_the_network_is_deleted_once() -> None:
    found = [(each.line, each.gone, each.unneeded) for each in shortened(SCRIPT)]
    assert found == [
        (1, "iptables -A INPUT -p tcp --dport 80 -j ACCEPT", ""),
        (2, "sudo iptables -A INPUT -j DROP", "it is the policy"),
        (5, "iptables -I INPUT -p tcp --dport $port", ""),
    ]


def test_all_else_stays_in_its_line() -> None:
    for each in shortened(SCRIPT):
        lines = each.script.splitlines()
        assert len(lines) == len(SCRIPT.splitlines())
        assert lines[4] == "iptables -L | wc -l"


def test_a_here_document_of_rules_is_deleted_whole_and_rule_by_rule() -> None:
    found = [(each.line, each.gone, each.unneeded) for each in shortened(RESTORE)]
    assert found == [
        (0, "ip route del default", ""),
        (1, "iptables-restore <<END", ""),
        (3, ":INPUT DROP [0:0]", ""),
        (5, "-A INPUT -j DROP", "it is the policy"),
    ]


def test_a_rule_of_a_here_document_is_commented_out() -> None:
    *_, last = shortened(RESTORE)
    assert last.script == RESTORE.replace("-A INPUT -j DROP", "#")


def test_what_would_be_no_script_any_more_is_refused() -> None:
    with pytest.raises(Broken, match="cannot take this out"):
        list(shortened("iptables -F\nif true\n"))


def test_a_marking_that_stands_behind_no_such_command_is_idle() -> None:
    text = "iptables -L  # unneeded: looks\niptables -F  # unneeded: empty\n# unneeded: nothing\n"
    assert idle_markings(text) == ["# unneeded: looks", "# unneeded: nothing"]
