"""What a step looked at, in one line each: shown beside its flows, whether or not it held."""

from __future__ import annotations

from lab.model.expectation import (
    ConntrackEntry,
    Expectation,
    ListeningSocket,
    Neighbour,
    Packets,
    Policy,
    RouteLine,
    RuleCounter,
    Stdout,
    Sysctl,
)
from lab.observe import conntrack, sequence
from lab.observe.listing import counted
from lab.observe.seen import Seen
from lab.observe.tables import carries

Line = tuple[str, str, str]
"""What kind of thing, at which node (or ``node:interface``), and what was seen."""


def evidence(expected: Expectation, seen: Seen) -> list[Line]:
    """The lines that show what an expectation was compared with.

    Nothing for what the flows themselves show: outcome, server and client.
    """
    match expected:
        case Packets():
            return _packets(expected, seen)
        case ConntrackEntry(on=node):
            entries = conntrack.matching(seen.conntrack[node], expected)
            return [("conntrack", node, str(entry)) for entry in entries] or [
                ("conntrack", node, "no such entry")
            ]
        case RuleCounter():
            return _rules(expected, seen)
        case Policy(on=node):
            chain = seen.rules[node, expected.family].chain(expected.table, expected.chain)
            policy = "-" if chain is None else chain.policy or "-"
            return [("policy", node, f"{expected.table}/{expected.chain} {policy}")]
        case _:
            return _host(expected, seen)


def _host(expected: Expectation, seen: Seen) -> list[Line]:
    """The same for what a host shows of itself."""
    match expected:
        case RouteLine(on=node, text=text):
            found = [str(each) for each in seen.routes[node] if carries(str(each), text)]
            return [("route", node, line) for line in found] or [("route", node, f"no {text}")]
        case Neighbour(on=node, text=text):
            found = [str(each) for each in seen.neighbours[node] if carries(str(each), text)]
            return [("neighbour", node, line) for line in found] or [
                ("neighbour", node, f"no {text}")
            ]
        case Sysctl(on=node, key=key):
            value = seen.sysctls[node, key]
            text = f"no {key}" if value is None else f"{key} = {' '.join(value.split())}"
            return [("sysctl", node, text)]
        case ListeningSocket(on=node):
            listeners = [
                str(each)
                for each in seen.listeners[node]
                if each.proto == expected.proto and expected.address.matches(each.address)
            ]
            wanted = f"no {expected.proto} {expected.address}"
            return [("socket", node, line) for line in listeners] or [("socket", node, wanted)]
        case Stdout(background=name):
            printed = seen.stdout if name is None else seen.backgrounds.get(name, "")
            who = "" if name is None else name
            return [("stdout", who, line) for line in printed.strip().splitlines()]
        case _:
            return []


def _packets(expected: Packets, seen: Seen) -> list[Line]:
    lines = []
    for match in sequence.in_order(seen.packets, expected.packets):
        wanted = match.expected
        where = f"{wanted.node}:{wanted.interface}"
        if match.found is not None:
            lines.append(("packet", where, f"{match.found.way} {match.found.headers}"))
        elif not wanted.seen:
            flags = f" {wanted.flags}" if wanted.flags else ""
            lines.append(("packet", where, f"no {wanted.proto} {wanted.tuple}{flags}"))
    return lines


def _rules(expected: RuleCounter, seen: Seen) -> list[Line]:
    chain = seen.rules[expected.on, expected.family].chain(expected.table, expected.chain)
    if chain is None:
        return []
    if expected.rule is None and expected.text is None:
        text = f"{expected.table}/{expected.chain} has {counted(len(chain.rules), 'rule')}"
        return [("chain", expected.on, text)]
    if expected.rule is not None:
        numbered = chain.rule(expected.rule)
        rules = [] if numbered is None else [numbered]
    else:
        rules = [rule for rule in chain.rules if expected.text and expected.text in rule.text]
    kind = "rules" if expected.rule is None else "rule"
    return [(kind, expected.on, f"{expected.table} [{rule.packets}] {rule.text}") for rule in rules]
