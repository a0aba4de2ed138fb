"""What a step that acts must show: `expect`, and which of its keys fit which verb."""

from __future__ import annotations

import errno
import re
from typing import Final

from lab.model.address import AddressPattern
from lab.model.expectation import (
    ClientSaw,
    ExitCodeIs,
    Expectation,
    Outcome,
    OutcomeIs,
    ServerSaw,
    SourcePort,
    Stdout,
)
from lab.spec.addresses import check_node, parse_pattern
from lab.spec.context import Context
from lab.spec.document import ConnectDocument, StepDocument
from lab.spec.document_expect import ClientDocument, ExpectDocument, ServerDocument
from lab.spec.findings import Path
from lab.spec.misfit import Misfit, did_you_mean
from lab.spec.observations import read_conntrack, read_packets, read_rules, read_text

# Which keys of `expect` say something about a verb.
FITTING: Final[dict[str, tuple[str, ...]]] = {
    "run": ("exit", "stdout", "conntrack", "rules"),
    "connect": (
        "outcome",
        "icmp",
        "server",
        "client",
        "source_port",
        "conntrack",
        "packets",
        "rules",
    ),
    "ping": ("outcome", "icmp", "conntrack", "packets", "rules"),
}
# Of the outcomes, those that each kind of flow can have.
OUTCOMES: Final[dict[str, tuple[Outcome, ...]]] = {
    "tcp": (
        Outcome.CONNECTED,
        Outcome.REFUSED,
        Outcome.UNREACHABLE,
        Outcome.RESET,
        Outcome.NO_ANSWER,
    ),
    "udp": (Outcome.ANSWERED, Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.NO_ANSWER),
    "ping": (Outcome.ANSWERED, Outcome.UNREACHABLE, Outcome.NO_ANSWER),
}
# What a destination that cannot be reached is reported by: the words of iptables' --reject-with
# without "icmp-" and "icmp6-", and words of the same style for the other codes (RFC 792, 1122,
# 1812 and 4443).
ICMP_ERRORS: Final = (
    "net-unreachable",
    "host-unreachable",
    "proto-unreachable",
    "port-unreachable",
    "fragmentation-needed",
    "source-route-failed",
    "net-unknown",
    "host-unknown",
    "host-isolated",
    "net-prohibited",
    "host-prohibited",
    "net-unreachable-for-tos",
    "host-unreachable-for-tos",
    "admin-prohibited",
    "precedence-violation",
    "precedence-cutoff",
    "ttl-exceeded",
    "reassembly-timeout",
    "no-route",
    "adm-prohibited",
    "beyond-scope",
    "addr-unreachable",
    "policy-fail",
    "reject-route",
    "packet-too-big",
)

_FLOWS: Final = {"tcp": "a TCP connection", "udp": "a datagram", "ping": "a ping"}
_ERRNO: Final = re.compile(r"E[A-Z0-9]+")


def read_expect(
    step: StepDocument, verb: str, context: Context, path: Path
) -> tuple[Expectation, ...]:
    """Turn `expect` into expectations.

    Args:
        step: the step as written.
        verb: its verb.
        context: what it can name.
        path: the path of the step.

    Returns:
        The expectations; a flow's outcome is always among them.
    """
    findings = context.findings
    here = (*path, "expect")
    document = step.expect
    if document is None:
        return _outcome(None, None, step, context, path)
    given = [key for key in ExpectDocument.model_fields if key in document.model_fields_set]
    if not given:
        findings.at(here, "this expects nothing", "say what the step must show, or leave it out")
    for key in given:
        _check_fits(key, verb, context, (*here, key))
    found: list[Expectation | None] = [
        *_outcome(document.outcome, document.icmp, step, context, here)
    ]
    found.append(_server(document.server, context, (*here, "server")))
    found.append(_client(document.client, context, (*here, "client")))
    found.append(_source_port(document, step.connect, context, (*here, "source_port")))
    if document.packets:
        found.append(read_packets(document.packets, context, (*here, "packets")))
    found += [
        read_conntrack(item, context, (*here, "conntrack", index))
        for index, item in enumerate(document.conntrack)
    ]
    found += [
        read_rules(item, context, (*here, "rules", index))
        for index, item in enumerate(document.rules)
    ]
    found.append(_exit(document, context, (*here, "exit")))
    if document.stdout is not None:
        text = read_text(document.stdout, context, (*here, "stdout"))
        found.append(Stdout(findings.key_location((*here, "stdout")), text))
    return tuple(item for item in found if item is not None)


def _check_fits(key: str, verb: str, context: Context, path: Path) -> None:
    verbs = [name for name, keys in FITTING.items() if key in keys]
    if verb in verbs:
        return
    if verb == "check":
        context.findings.at_key(path, "a check has no 'expect'", f"write '{key}' below 'check'")
    else:
        hint = f"it fits {_and(verbs)}"
        context.findings.at_key(path, f"'{key}' says nothing about {verb}", hint)


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _outcome(
    written: str | None, icmp: str | None, step: StepDocument, context: Context, path: Path
) -> tuple[OutcomeIs, ...]:
    """The flow's outcome, as written or as it is where nothing is written."""
    kind = "ping" if step.connect is None else str(step.connect.proto)
    if step.connect is None and step.ping is None:
        return ()
    possible = OUTCOMES[kind]
    outcome = Outcome(written) if written is not None else possible[0]
    location = context.findings.location(path)
    if written is not None:
        location = context.findings.key_location((*path, "outcome"))
        if outcome not in possible and not context.findings.lacks(*path[:2], "connect", "proto"):
            context.findings.at(
                (*path, "outcome"),
                f"{_FLOWS[kind]} is never '{outcome.value}'",
                f"it is {', '.join(item.value for item in possible)}",
            )
    if icmp is not None and not context.findings.lacks(*path, "outcome"):
        context.findings.attempt((*path, "icmp"), _check_icmp, icmp, outcome)
    return (OutcomeIs(location, outcome, icmp),)


def _check_icmp(name: str, outcome: Outcome) -> None:
    if name not in ICMP_ERRORS:
        raise Misfit(f"unknown ICMP error '{name}'", did_you_mean(name, ICMP_ERRORS, "errors"))
    if outcome is not Outcome.UNREACHABLE:
        raise Misfit("'icmp' tells why a destination is unreachable", "add outcome: unreachable")


def _pattern(text: str | None, context: Context, path: Path) -> AddressPattern | None:
    if text is None:
        return None
    return context.findings.attempt(path, parse_pattern, text, context.around)


def _server(document: ServerDocument | None, context: Context, path: Path) -> ServerSaw | None:
    if document is None:
        return None
    findings = context.findings
    if not document.model_fields_set:
        findings.at(path, "this expects nothing", "add 'node', 'source', 'dest' or 'original'")
    if document.node is not None:
        findings.attempt((*path, "node"), check_node, document.node, context.around)
    original, error = document.original, None
    if original is not None and _ERRNO.fullmatch(original):
        error, original = original, None
        if error not in errno.errorcode.values():
            hint = did_you_mean(error, errno.errorcode.values())
            findings.at((*path, "original"), f"unknown error '{error}'", hint)
    return ServerSaw(
        findings.key_location(path),
        document.node,
        _pattern(document.source, context, (*path, "source")),
        _pattern(document.dest, context, (*path, "dest")),
        _pattern(original, context, (*path, "original")),
        error,
    )


def _client(document: ClientDocument | None, context: Context, path: Path) -> ClientSaw | None:
    if document is None:
        return None
    if not document.model_fields_set:
        context.findings.at(path, "this expects nothing", "add 'source' or 'dest'")
    return ClientSaw(
        context.findings.key_location(path),
        _pattern(document.source, context, (*path, "source")),
        _pattern(document.dest, context, (*path, "dest")),
    )


def _source_port(
    document: ExpectDocument, flow: ConnectDocument | None, context: Context, path: Path
) -> SourcePort | None:
    if document.source_port is None or flow is None:
        return None
    lacks_times = context.findings.lacks(*path[:2], "connect", "times")
    if document.source_port == "distinct" and flow.times < 2 and not lacks_times:
        context.findings.at(
            path, "one connection has one port", "'distinct' needs 'times' of 2 or more"
        )
    return SourcePort(context.findings.key_location(path), document.source_port)


def _exit(document: ExpectDocument, context: Context, path: Path) -> ExitCodeIs | None:
    if "exit" not in document.model_fields_set:
        return None
    return ExitCodeIs(context.findings.key_location(path), document.exit)
