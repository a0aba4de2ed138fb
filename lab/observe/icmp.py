"""ICMP and ICMPv6 errors by the names that a scenario gives them.

The names are the words of iptables' ``--reject-with`` without ``icmp-`` or ``icmp6-``, and words of
the same style for what iptables cannot send (iptables-extensions(8), linux/icmp.h,
linux/icmpv6.h, RFC 792, RFC 4443).
"""

from __future__ import annotations

from types import MappingProxyType

_V4 = MappingProxyType(
    {
        (3, 0): "net-unreachable",  # ICMP_DEST_UNREACH, ICMP_NET_UNREACH
        (3, 1): "host-unreachable",  # ICMP_HOST_UNREACH
        (3, 2): "proto-unreachable",  # ICMP_PROT_UNREACH
        (3, 3): "port-unreachable",  # ICMP_PORT_UNREACH
        (3, 4): "fragmentation-needed",  # ICMP_FRAG_NEEDED
        (3, 5): "source-route-failed",  # ICMP_SR_FAILED
        (3, 6): "net-unknown",  # ICMP_NET_UNKNOWN
        (3, 7): "host-unknown",  # ICMP_HOST_UNKNOWN
        (3, 8): "host-isolated",  # ICMP_HOST_ISOLATED
        (3, 9): "net-prohibited",  # ICMP_NET_ANO
        (3, 10): "host-prohibited",  # ICMP_HOST_ANO
        (3, 11): "net-unreachable-for-tos",  # ICMP_NET_UNR_TOS
        (3, 12): "host-unreachable-for-tos",  # ICMP_HOST_UNR_TOS
        (3, 13): "admin-prohibited",  # ICMP_PKT_FILTERED
        (3, 14): "precedence-violation",  # ICMP_PREC_VIOLATION
        (3, 15): "precedence-cutoff",  # ICMP_PREC_CUTOFF
        (5, 0): "net-redirect",  # ICMP_REDIRECT, ICMP_REDIR_NET
        (5, 1): "host-redirect",  # ICMP_REDIR_HOST
        (11, 0): "ttl-exceeded",  # ICMP_TIME_EXCEEDED, ICMP_EXC_TTL
        (11, 1): "reassembly-timeout",  # ICMP_EXC_FRAGTIME
    }
)

_V6 = MappingProxyType(
    {
        (1, 0): "no-route",  # ICMPV6_DEST_UNREACH, ICMPV6_NOROUTE
        (1, 1): "adm-prohibited",  # ICMPV6_ADM_PROHIBITED
        (1, 2): "beyond-scope",  # ICMPV6_NOT_NEIGHBOUR, so named in RFC 4443
        (1, 3): "addr-unreachable",  # ICMPV6_ADDR_UNREACH
        (1, 4): "port-unreachable",  # ICMPV6_PORT_UNREACH
        (1, 5): "policy-fail",  # ICMPV6_POLICY_FAIL
        (1, 6): "reject-route",  # ICMPV6_REJECT_ROUTE
        (2, 0): "packet-too-big",  # ICMPV6_PKT_TOOBIG
        (3, 0): "ttl-exceeded",  # ICMPV6_TIME_EXCEED, ICMPV6_EXC_HOPLIMIT
        (3, 1): "reassembly-timeout",  # ICMPV6_EXC_FRAGTIME
    }
)

NAMES = frozenset(_V4.values()) | frozenset(_V6.values())
"""Every name that ``icmp:`` may hold."""


def name(version: int, kind: int, code: int) -> str:
    """The name of an error's type and code; ``version`` is 4 or 6, that of the IP header.

    >>> name(4, 3, 13)
    'admin-prohibited'
    """
    known = _V6 if version == 6 else _V4
    return known.get((kind, code), f"type {kind} code {code}")


def is_error(version: int, kind: int) -> bool:
    """Tell whether a type quotes the packet that it is about (RFC 1122 3.2.2, RFC 4443 2.1)."""
    return kind < 128 if version == 6 else kind in (3, 4, 5, 11, 12)


def same(expected: str, observed: str) -> bool:
    """Tell whether two names mean the same: IPv6 writes adm-prohibited for admin-prohibited."""
    return _without_family(expected) == _without_family(observed)


def _without_family(word: str) -> str:
    return "admin-prohibited" if word == "adm-prohibited" else word
