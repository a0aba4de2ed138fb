"""What is looked at around a flow: conntrack entries, packets, rules and their counters."""

from __future__ import annotations

from typing import Final

from lab.model.address import Count, TuplePattern
from lab.model.expectation import ConntrackEntry, Packet, Packets, RuleCounter, Text
from lab.spec.addresses import parse_interface, parse_tuple
from lab.spec.context import Context, check_regex
from lab.spec.document_expect import (
    ConntrackDocument,
    PacketDocument,
    RulesDocument,
    TextDocument,
)
from lab.spec.findings import Path
from lab.spec.misfit import Misfit, did_you_mean

# As `conntrack -L` and /proc/net/nf_conntrack name them (nf_conntrack_l4proto and RFC 5237).
PROTOCOLS: Final = ("tcp", "udp", "icmp", "icmpv6", "udplite", "sctp", "dccp", "gre")
# tcp_conntrack_names of net/netfilter/nf_conntrack_proto_tcp.c.
TCP_STATES: Final = (
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT",
    "CLOSE_WAIT",
    "LAST_ACK",
    "TIME_WAIT",
    "CLOSE",
    "SYN_SENT2",
)
TCP_FLAGS: Final = "FSRPAUEW"

_STATELESS: Final = ("udp", "udplite", "icmp", "icmpv6", "gre")
_WITHOUT_PORTS: Final = ("icmp", "icmpv6", "gre")


def read_conntrack(document: ConntrackDocument, context: Context, path: Path) -> ConntrackEntry:
    """Turn `conntrack` into an expectation."""
    findings = context.findings
    context = context.at_node(document.on, (*path, "on"))
    if document.none and document.count is not None:
        findings.at_key((*path, "none"), "'none' and 'count' contradict each other")
    if document.proto not in (None, *PROTOCOLS) and not str(document.proto).isdecimal():
        hint = did_you_mean(document.proto, PROTOCOLS, "protocols")
        findings.at((*path, "proto"), f"unknown protocol '{document.proto}'", hint)
    if document.state is not None:
        findings.attempt((*path, "state"), _check_state, document.state, document.proto)
    return ConntrackEntry(
        findings.key_location(path),
        context.node(path),
        document.proto,
        _tuple(document.original, document.proto, context, (*path, "original")),
        _tuple(document.reply, document.proto, context, (*path, "reply")),
        document.state,
        document.status,
        Count.exactly(0) if document.none else document.count or Count(1, None),
    )


def _check_state(state: str, proto: str | None) -> None:
    if proto in _STATELESS:
        raise Misfit(f"an entry of {proto} has no state", "one of TCP has")
    if proto in (None, "tcp") and state not in TCP_STATES:
        raise Misfit(f"unknown state '{state}'", did_you_mean(state, TCP_STATES, "states"))


def _tuple(
    text: str | None, proto: str | None, context: Context, path: Path
) -> TuplePattern | None:
    if text is None:
        return None
    pattern = context.findings.attempt(path, parse_tuple, text, context.around)
    if pattern is None or proto not in _WITHOUT_PORTS:
        return pattern
    if pattern.source.port is not None or pattern.dest.port is not None:
        context.findings.at(path, f"{proto} has no ports")
    return pattern


def read_packets(
    documents: tuple[PacketDocument, ...], context: Context, path: Path
) -> Packets | None:
    """Turn `packets` into an expectation; None where a packet has a mistake."""
    packets = [
        _read_packet(document, context, (*path, index)) for index, document in enumerate(documents)
    ]
    whole = tuple(packet for packet in packets if packet is not None)
    if len(whole) < len(packets):
        return None
    return Packets(context.findings.key_location(path), whole)


def _read_packet(document: PacketDocument, context: Context, path: Path) -> Packet | None:
    findings = context.findings
    at = findings.attempt((*path, "at"), parse_interface, document.at, context.around)
    written = [
        (proto, text)
        for proto, text in (("tcp", document.tcp), ("udp", document.udp), ("icmp", document.icmp))
        if text is not None
    ]
    if len(written) != 1:
        findings.at(path, "a packet has one of 'tcp', 'udp' and 'icmp'")
        return None
    proto, text = written[0]
    pattern = _tuple(text, proto, context, (*path, proto))
    if document.flags is not None:
        findings.attempt((*path, "flags"), _check_flags, document.flags, proto)
    if at is None or pattern is None:
        return None
    return Packet(
        findings.location(path),
        *at,
        proto,
        pattern,
        document.flags,
        document.ttl,
        document.seen,
    )


def _check_flags(flags: str, proto: str) -> None:
    if proto != "tcp":
        raise Misfit(f"{proto} has no flags", "only TCP has")
    unknown = [letter for letter in flags if letter not in TCP_FLAGS]
    if unknown or not flags:
        raise Misfit(
            f"'{flags}' are no TCP flags",
            "letters: F fin, S syn, R rst, P psh, A ack, U urg, E ece, W cwr",
        )
    if len(set(flags)) < len(flags):
        raise Misfit(f"'{flags}' has a flag twice")


def read_rules(document: RulesDocument, context: Context, path: Path) -> RuleCounter:
    """Turn `rules` into an expectation."""
    findings = context.findings
    context = context.at_node(document.on, (*path, "on"))
    counted = document.packets is not None or document.hits is not None
    if not counted and document.text is None and document.count is None:
        findings.at(path, "this expects nothing", "add 'packets', 'hits', 'text' or 'count'")
    if counted and document.rule is None and document.text is None:
        findings.at(path, "whose counter is meant?", "add 'rule' with its number, or its 'text'")
    if not document.chain:
        findings.at((*path, "chain"), "a chain has a name")
    return RuleCounter(
        findings.key_location(path),
        context.node(path),
        document.table,
        document.chain,
        document.rule,
        document.packets,
        document.hits,
        document.text,
        document.count,
        document.family,
    )


def read_text(document: TextDocument, context: Context, path: Path) -> Text:
    """Turn `equals`, `contains` and `matches` into what an output must be."""
    if document.equals is document.contains is document.matches is None:
        context.findings.at(path, "this expects nothing", "add 'equals', 'contains' or 'matches'")
    if document.matches is not None:
        context.findings.attempt((*path, "matches"), check_regex, document.matches)
    return Text(document.equals, document.contains, document.matches)
