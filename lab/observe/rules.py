"""Rules and their counters, read from ``iptables-save -c`` of either backend and either family.

A rule's text is the line that ``iptables -S`` prints for it: the two share their printing code
(iptables-save(8), iptables(8)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from lab.observe.listing import counted
from lab.observe.unreadable import Unreadable


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a chain: its number from 1, its text as ``iptables -S`` prints it, its counter."""

    number: int
    text: str
    packets: int
    bytes: int

    def __str__(self) -> str:
        return f"#{self.number} [{self.packets}:{self.bytes}] {self.text}"


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain; ``policy`` and its counter are None for a chain that a user made.

    The nft backend keeps no counter for a policy: it always says 0.
    """

    name: str
    policy: str | None
    packets: int | None = None
    bytes: int | None = None
    rules: tuple[Rule, ...] = ()

    def rule(self, number: int) -> Rule | None:
        """The rule of that number, counted from 1, or None where the chain is shorter."""
        return self.rules[number - 1] if 0 < number <= len(self.rules) else None


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All tables of one family in one network namespace, at one moment."""

    tables: Mapping[str, Mapping[str, Chain]] = field(default_factory=dict)

    def chain(self, table: str, name: str) -> Chain | None:
        """A chain, or None if there is none.

        iptables-save leaves out a table that nobody has used yet, and such a table's built-in
        chains stand at ACCEPT without rules, as ``iptables -S`` would print them.
        """
        chain = self.tables.get(table, {}).get(name)
        if chain is None and name in _BUILT_IN.get(table, ()):
            return Chain(name, "ACCEPT", 0, 0)
        return chain


@dataclass(frozen=True, slots=True)
class Hits:
    """How far a rule's counter grew between two moments; ``packets`` None where nobody can say.

    ``why`` then gives the reason: the counter was zeroed, or rules moved so that two equal ones
    can't be told apart.
    """

    packets: int | None
    why: str = ""


def hits(before: Chain | None, after: Chain, number: int) -> Hits:
    """Tell how many packets met rule ``number`` of ``after`` since ``before``.

    A rule is the same one when its text is the same and, among rules of equal text, its turn. A
    rule without a counterpart was added in between and began at 0.
    """
    rule = after.rule(number)
    if rule is None:
        return Hits(None, f"the chain has {counted(len(after.rules), 'rule')}")
    earlier = _same_text(before, rule)
    later = _same_text(after, rule)
    if earlier and len(earlier) != len(later):
        return Hits(None, "an equal rule was added or deleted meanwhile")
    start = earlier[later.index(rule)].packets if earlier else 0
    if rule.packets < start:
        return Hits(None, f"its counter was zeroed meanwhile: {start}, then {rule.packets}")
    return Hits(rule.packets - start)


def ruleset(text: str) -> Ruleset:
    """Read the output of ``iptables-save -c`` or ``ip6tables-save -c``.

    Raises Unreadable for a line that is none of theirs.
    """
    tables: dict[str, dict[str, Chain]] = {}
    rules: dict[tuple[str, str], list[Rule]] = {}
    table = ""
    for number, line in _lines(text):
        if line.startswith("#") or not line.strip():
            continue
        if begins := _TABLE.fullmatch(line):
            table = begins[1]
            tables.setdefault(table, {})
        elif line == "COMMIT":
            table = ""
        elif not table:
            raise Unreadable("iptables-save", number, line, "outside of a table")
        elif line.startswith(":"):
            chain = _chain(number, line)
            tables[table][chain.name] = chain
        else:
            name, rule = _rule(number, line)
            if name not in tables[table]:
                why = f"no chain {name} in this table"
                raise Unreadable("iptables-save", number, line, why)
            earlier = rules.setdefault((table, name), [])
            earlier.append(replace(rule, number=len(earlier) + 1))
    for (table, name), chain_rules in rules.items():
        tables[table][name] = replace(tables[table][name], rules=tuple(chain_rules))
    return Ruleset(tables)


_BUILT_IN = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}

_TABLE = re.compile(r"\*(\S+)")
_CHAIN = re.compile(r":(\S+) (\S+) \[(\d{1,20}):(\d{1,20})\]", re.ASCII)
_RULE = re.compile(r"\[(\d{1,20}):(\d{1,20})\] (-A (\S+)(?: .*)?)", re.ASCII | re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _same_text(chain: Chain | None, rule: Rule) -> list[Rule]:
    return [other for other in chain.rules if other.text == rule.text] if chain else []


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Split into numbered lines; a line break inside a quoted argument is part of the rule.

    Only rules are quoted: a comment may hold any number of quotation marks.
    """
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        first = at
        line = lines[at]
        at += 1
        while _RULE.match(line) and '"' in _QUOTED.sub("", line) and at < len(lines):
            line += "\n" + lines[at]
            at += 1
        yield first + 1, line


def _chain(number: int, line: str) -> Chain:
    """Read ``:INPUT DROP [3:180]`` or ``:WEB - [0:0]``."""
    found = _CHAIN.fullmatch(line)
    if found is None:
        raise Unreadable("iptables-save", number, line, "not a chain")
    name, policy, packets, octets = found.groups()
    if policy == "-":
        return Chain(name, None)
    return Chain(name, policy, int(packets), int(octets))


def _rule(number: int, line: str) -> tuple[str, Rule]:
    """Read ``[12:3456] -A CHAIN …``: the chain's name, and the rule without its number yet."""
    found = _RULE.fullmatch(line)
    if found is None:
        raise Unreadable("iptables-save", number, line, "not a rule with its counter")
    packets, octets, text, name = found.groups()
    return name, Rule(0, text, int(packets), int(octets))
