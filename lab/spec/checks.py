"""What a `check` looks at: tables, routes, neighbours, settings, sockets, outputs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from lab.model.address import AddressPattern
from lab.model.expectation import (
    Expectation,
    ListeningSocket,
    Neighbour,
    Policy,
    RouteLine,
    Stdout,
    Sysctl,
)
from lab.spec.addresses import parse_pattern
from lab.spec.context import Context
from lab.spec.document_expect import CheckDocument, LineDocument, StdoutDocument
from lab.spec.document_types import check_sysctl_key
from lab.spec.findings import Path
from lab.spec.misfit import Misfit, did_you_mean
from lab.spec.observations import read_conntrack, read_rules, read_text

# The built-in chains of each table (iptables(8)).
CHAINS: Final[dict[str, tuple[str, ...]]] = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}


def read_check(
    document: CheckDocument, context: Context, path: Path, backgrounds: Collection[str]
) -> tuple[Expectation, ...]:
    """Turn `check` into expectations.

    Args:
        document: `check` as written.
        context: what it can name.
        path: the path of `check`.
        backgrounds: the names of the background processes started before.
    """
    if not document.model_fields_set:
        known = ", ".join(CheckDocument.model_fields)
        context.findings.at(path, "this checks nothing", f"add one of {known}")
    found: list[Expectation | None] = []
    for index, entry in enumerate(document.conntrack):
        found.append(read_conntrack(entry, context, (*path, "conntrack", index)))
    for index, rules in enumerate(document.rules):
        found.append(read_rules(rules, context, (*path, "rules", index)))
    for key, policy in document.policies.items():
        found.append(_policy(key, policy, context, (*path, "policies", key)))
    for index, line in enumerate(document.routes):
        found.append(_route(line, context, (*path, "routes", index)))
    for index, line in enumerate(document.neighbours):
        found.append(_neighbour(line, context, (*path, "neighbours", index)))
    for key, value in document.sysctls.items():
        found.append(_sysctl(key, value, context, (*path, "sysctls", key)))
    for index, line in enumerate(document.sockets):
        found.append(_socket(line, context, (*path, "sockets", index)))
    for index, output in enumerate(document.stdout):
        found.append(_stdout(output, context, (*path, "stdout", index), backgrounds))
    return tuple(item for item in found if item is not None)


def _policy(key: str, policy: str, context: Context, path: Path) -> Policy | None:
    place = context.findings.attempt_key(path, _parse_chain, key)
    if policy not in ("ACCEPT", "DROP"):
        hint = did_you_mean(policy, ["ACCEPT", "DROP"], "policies")
        context.findings.at(path, f"'{policy}' is no policy", hint)
    if place is None:
        return None
    return Policy(context.findings.key_location(path), context.node(path), *place, policy)


def _parse_chain(key: str) -> tuple[str, str]:
    """Read ``TABLE/CHAIN``."""
    table, slash, chain = key.partition("/")
    if not slash:
        raise Misfit(f"expected TABLE/CHAIN, got '{key}'", "such as filter/INPUT")
    if table not in CHAINS:
        raise Misfit(f"unknown table '{table}'", did_you_mean(table, CHAINS, "tables"))
    if chain not in CHAINS[table]:
        hint = did_you_mean(chain, CHAINS[table], "built-in chains")
        raise Misfit(f"table {table} has no built-in chain '{chain}'", hint)
    return table, chain


def _text_of(line: LineDocument, context: Context, path: Path) -> str:
    if not line.text.split():
        context.findings.at(path, "this is empty")
    return " ".join(line.text.split())


def _route(line: LineDocument, context: Context, path: Path) -> RouteLine:
    here = context.at_node(line.on, (*path, "on"))
    text = _text_of(line, context, path)
    return RouteLine(context.findings.location(path), here.node(path), text, line.present)


def _neighbour(line: LineDocument, context: Context, path: Path) -> Neighbour:
    here = context.at_node(line.on, (*path, "on"))
    text = _text_of(line, context, path)
    return Neighbour(context.findings.location(path), here.node(path), text, line.present)


def _sysctl(key: str, value: str, context: Context, path: Path) -> Sysctl:
    context.findings.attempt_key(path, check_sysctl_key, key)
    return Sysctl(context.findings.key_location(path), context.node(path), key, value)


def _socket(line: LineDocument, context: Context, path: Path) -> ListeningSocket | None:
    here = context.at_node(line.on, (*path, "on"))
    location, node = context.findings.location(path), here.node(path)
    read = context.findings.attempt(path, _parse_socket, line.text, here)
    return None if read is None else ListeningSocket(location, node, *read, line.present)


def _parse_socket(text: str, context: Context) -> tuple[str, AddressPattern]:
    """Read ``PROTOCOL ADDRESS:PORT``, the address ``*`` or nothing for any."""
    match text.split():
        case ["tcp" | "udp" as proto, address]:
            pattern = parse_pattern(address.removeprefix("*"), context.around)
            if pattern.port is None:
                raise Misfit(f"'{text}' has no port")
            return proto, pattern
    raise Misfit(f"expected tcp or udp and ADDRESS:PORT, got '{text}'", "such as tcp 0.0.0.0:80")


def _stdout(
    output: StdoutDocument, context: Context, path: Path, backgrounds: Collection[str]
) -> Stdout:
    if output.of not in backgrounds:
        context.findings.at(
            (*path, "of"),
            f"no step before this has 'background: {output.of}'",
            did_you_mean(output.of, backgrounds, "background processes"),
        )
    text = read_text(output, context, path)
    return Stdout(context.findings.key_location(path), text, output.of)
