"""The lines of a rule set that can be taken out one by one."""

from __future__ import annotations

from tools.mutation.rule_lines import idle_markings, rule_lines, without_line

RULES = """\
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:WEB - [0:0]
# the web
[3:180] -A INPUT -j WEB
# unneeded: it ends here anyway
-A WEB -j RETURN
-P OUTPUT DROP
COMMIT
"""


def test_rules_chains_and_policies_that_refuse_are_found() -> None:
    found = [(each.number, each.text, each.unneeded) for each in rule_lines(RULES)]
    assert found == [
        (1, ":INPUT DROP [0:0]", ""),
        (3, ":WEB - [0:0]", ""),
        (5, "[3:180] -A INPUT -j WEB", ""),
        (7, "-A WEB -j RETURN", "it ends here anyway"),
        (8, "-P OUTPUT DROP", ""),
    ]


def test_a_deleted_line_leaves_a_comment() -> None:
    line = next(rule_lines(RULES))
    assert without_line(RULES, line) == RULES.replace(":INPUT DROP [0:0]", "#")


def test_a_marking_that_stands_above_no_such_line_is_idle() -> None:
    assert idle_markings(RULES + "# unneeded: nothing\n# a comment\n") == ["# unneeded: nothing"]
