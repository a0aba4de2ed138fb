"""Expected conntrack entries, rule counters and policies beside what netfilter holds."""

from __future__ import annotations

from collections.abc import Iterator

from lab.model.address import Count
from lab.model.events import Mismatch
from lab.model.expectation import ConntrackEntry, Policy, RuleCounter
from lab.observe.conntrack import Entry, matching, unfit
from lab.observe.listing import counted, listed, others
from lab.observe.rules import Chain, Rule, hits
from lab.observe.seen import Seen


def conntrack(expected: ConntrackEntry, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare a node's table with an entry; KeyError if the table was not looked at.

    Where no entry fits, the fields in which the closest one differs are told, one by one.
    """
    table = seen.conntrack[expected.on]
    found = matching(table, expected)
    if expected.count.matches(len(found)):
        return ()
    field = f"conntrack {expected.on}"
    location = str(expected.location)
    if found:
        return (
            Mismatch(
                field=f"{field} count",
                expected=f"{expected.count} of {_entry_text(expected)}",
                observed=f"{len(found)}: {listed(found)}",
                location=location,
            ),
        )
    closest = _closest(table, expected)
    if closest is None:
        return (
            Mismatch(
                field=field,
                expected=_entry_text(expected),
                observed=others(table, "no entry"),
                location=location,
            ),
        )
    return tuple(
        Mismatch(
            field=f"{field} {name}",
            expected=_expected_field(expected, name),
            observed=_observed_field(closest, name),
            location=location,
        )
        for name in unfit(closest, expected)
    )


def rule_counter(expected: RuleCounter, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare a rule's text and counter, or a chain's number of rules.

    Without a rule's number the rules that contain ``text`` are meant, and their counters
    together. KeyError if the node's rules were not looked at, for ``hits`` at both times.
    """
    place = (expected.on, expected.family)
    field = f"rules {expected.on} {expected.table}/{expected.chain}"
    location = str(expected.location)
    chain = seen.rules[place].chain(expected.table, expected.chain)
    if chain is None:
        return (
            Mismatch(field=field, expected="a chain", observed="no such chain", location=location),
        )
    before = None
    if expected.hits is not None:
        before = seen.rules_before[place].chain(expected.table, expected.chain)
    return tuple(
        Mismatch(
            field=f"{field} {name}".rstrip(), expected=wanted, observed=observed, location=location
        )
        for name, wanted, observed in _rule_differences(expected, before, chain)
    )


def policy(expected: Policy, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare a built-in chain's policy; KeyError if the node's rules were not looked at."""
    chain = seen.rules[expected.on, expected.family].chain(expected.table, expected.chain)
    if chain is None:
        observed = "no such chain"
    elif chain.policy is None:
        observed = "no policy: not a built-in chain"
    elif chain.policy == expected.policy:
        return ()
    else:
        observed = chain.policy
    return (
        Mismatch(
            field=f"policies {expected.on} {expected.table}/{expected.chain}",
            expected=expected.policy,
            observed=observed,
            location=str(expected.location),
        ),
    )


def _closest(table: tuple[Entry, ...], pattern: ConntrackEntry) -> Entry | None:
    """The entry of the same flow that fits best: one of the tuples fits, or none is given.

    An entry of another flow would only mislead; it is listed among the others.
    """
    given = {name for name in ("original", "reply") if getattr(pattern, name) is not None}
    related = [
        entry
        for entry in table
        if "proto" not in unfit(entry, pattern)
        and (not given or given - set(unfit(entry, pattern)))
    ]
    return min(related, key=lambda entry: len(unfit(entry, pattern)), default=None)


def _expected_field(pattern: ConntrackEntry, name: str) -> str:
    if name == "status":
        return " ".join(pattern.status)
    return str(getattr(pattern, name))


def _observed_field(entry: Entry, name: str) -> str:
    if name == "status":
        return " ".join(sorted(entry.status)) or "none"
    return str(getattr(entry, name) or "none")


def _entry_text(pattern: ConntrackEntry) -> str:
    """Write an expected entry as one that was seen is written."""
    tuples = [str(pattern.original)] if pattern.original else []
    tuples += [f"reply {pattern.reply}"] if pattern.reply else []
    words = [pattern.proto, pattern.state, ", ".join(tuples)]
    words += [f"[{word}]" for word in pattern.status]
    return " ".join(word for word in words if word) or "any entry"


def _rule_differences(
    expected: RuleCounter, before: Chain | None, chain: Chain
) -> Iterator[tuple[str, str, str]]:
    """What does not hold, as name, expected and observed."""
    if expected.count is not None and not expected.count.matches(len(chain.rules)):
        yield "count", str(expected.count), _rules_text(chain)
    if expected.rule is None and expected.text is None:
        for name, count in (("packets", expected.packets), ("hits", expected.hits)):
            if count is not None:
                yield name, str(count), "unknown: neither rule nor text says of which rule"
        return
    name = "text" if expected.rule is None else f"#{expected.rule}"
    rules = _meant(expected, chain)
    if not rules:
        yield name, expected.text or "a rule", _rules_text(chain)
        return
    if expected.text is not None and expected.text not in rules[0].text:
        yield f"{name} text", expected.text, rules[0].text
    packets = sum(rule.packets for rule in rules)
    if expected.packets is not None and not expected.packets.matches(packets):
        yield f"{name} packets", str(expected.packets), f"{packets} ({listed(rules)})"
    if expected.hits is not None:
        yield from _hits(expected.hits, name, before, chain, rules)


def _rules_text(chain: Chain) -> str:
    rules = counted(len(chain.rules), "rule")
    return f"{rules}: {listed(chain.rules)}" if chain.rules else rules


def _meant(expected: RuleCounter, chain: Chain) -> list[Rule]:
    if expected.rule is not None:
        rule = chain.rule(expected.rule)
        return [] if rule is None else [rule]
    return [rule for rule in chain.rules if (expected.text or "") in rule.text]


def _hits(
    wanted: Count, name: str, before: Chain | None, chain: Chain, rules: list[Rule]
) -> Iterator[tuple[str, str, str]]:
    """Compare how far counters grew; a growth that nobody can know fits nothing."""
    grown = [hits(before, chain, rule.number) for rule in rules]
    unknown = next((item.why for item in grown if item.packets is None), None)
    total = sum(item.packets or 0 for item in grown)
    if unknown is not None:
        yield f"{name} hits", str(wanted), f"unknown: {unknown}"
    elif not wanted.matches(total):
        yield f"{name} hits", str(wanted), f"{total} ({listed(rules)})"
