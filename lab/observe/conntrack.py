"""Connection tracking entries, read from /proc/net/nf_conntrack or from ``conntrack -L``.

The format is that of ``ct_seq_show`` in the kernel's nf_conntrack_standalone.c; conntrack(8) writes
the same line without the leading ``ipv4 2`` (unless ``-o extended``) and with short IPv6 addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from lab.model.address import IPAddress, SocketAddress, Tuple
from lab.model.expectation import ConntrackEntry
from lab.observe.unreadable import Unreadable


@dataclass(frozen=True, slots=True)
class IcmpKey:
    """What an ICMP entry has in the place of ports: type, code and the echo's identifier."""

    type: int
    code: int
    id: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """Packets and bytes of one direction; kept while net.netfilter.nf_conntrack_acct=1."""

    packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction of an entry: the tuple that the kernel waits for, and what came of it.

    ``tuple`` has no ports where the protocol has none; ``icmp`` is set for ICMP and ICMPv6;
    ``zone`` is the zone of this direction alone (CT --zone-orig, --zone-reply).
    """

    tuple: Tuple
    icmp: IcmpKey | None = None
    traffic: Traffic | None = None
    zone: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One tracked connection.

    ``family`` is ipv4 or ipv6, ``proto`` the kernel's name ("unknown" for those it does not know;
    ``number`` is the IP protocol number). ``timeout`` is in seconds, None for an offloaded entry.
    ``state`` is None for protocols without states (UDP, ICMP, GRE). ``directions`` are the two
    that the kernel calls IP_CT_DIR_ORIGINAL and IP_CT_DIR_REPLY. ``status`` holds the words in
    brackets: ASSURED, UNREPLIED, OFFLOAD, HW_OFFLOAD. ``text`` is the line, as it was read.
    """

    family: str
    proto: str
    number: int
    timeout: int | None
    state: str | None
    directions: tuple[Direction, Direction]
    status: frozenset[str]
    mark: int | None = None
    zone: int | None = None
    text: str = ""

    @property
    def original(self) -> Tuple:
        """The tuple of the packets from the side that began."""
        return self.directions[0].tuple

    @property
    def reply(self) -> Tuple:
        """The tuple that the answers carry when they arrive here."""
        return self.directions[1].tuple

    def __str__(self) -> str:
        words = [self.proto, self.state, f"{self.original}, reply {self.reply}"]
        words += [f"[{word}]" for word in sorted(self.status)]
        return " ".join(word for word in words if word)


def entries(text: str) -> tuple[Entry, ...]:
    """Read a whole table; blank lines are skipped, Unreadable tells the line that is none."""
    return tuple(
        _entry(line, number)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip()
    )


def matching(table: Iterable[Entry], pattern: ConntrackEntry) -> tuple[Entry, ...]:
    """The entries that fit all that the pattern gives; its node and its count are not looked at."""
    return tuple(entry for entry in table if not unfit(entry, pattern))


def unfit(entry: Entry, pattern: ConntrackEntry) -> tuple[str, ...]:
    """The names of the pattern's fields that the entry does not fit, in the pattern's order."""
    fits = {
        "proto": pattern.proto is None or is_proto(entry, pattern.proto),
        "original": pattern.original is None or pattern.original.matches(entry.original),
        "reply": pattern.reply is None or pattern.reply.matches(entry.reply),
        "state": pattern.state is None or pattern.state == entry.state,
        "status": entry.status.issuperset(pattern.status),
    }
    return tuple(field for field, fit in fits.items() if not fit)


def is_proto(entry: Entry, proto: str) -> bool:
    """Tell whether an entry is of a protocol, given by name or number; icmp stands for ICMPv6 too.

    The family shows in the addresses, so that nobody has to write icmpv6.
    """
    names = {entry.proto, str(entry.number)}
    return proto in names or (proto == "icmp" and entry.proto == "icmpv6")


_TOKEN = re.compile(r"\[[^\]]*\]|\S+")
_NUMBER = re.compile(r"\d{1,20}", re.ASCII)
_STATE = re.compile(r"[A-Z][A-Z0-9_]*")
_STATUS = re.compile(r"\[([A-Z_]+)\]")
_PAIR = re.compile(r"([a-z-]+)=(.*)", re.DOTALL)

_FAMILIES = ("ipv4", "ipv6")
_ICMP = ("icmp", "icmpv6")


class _Tokens:
    """The words of one line, taken from the left."""

    def __init__(self, line: str, number: int) -> None:
        self.line = line
        self.number = number
        self.words = _TOKEN.findall(line)
        self.at = 0

    def error(self, why: str) -> Unreadable:
        return Unreadable("conntrack entry", self.number, self.line, why)

    def peek(self) -> str:
        """The next word, empty at the end of the line."""
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self, shape: re.Pattern[str]) -> str | None:
        """The next word if it has this shape, and then it is gone."""
        word = self.peek()
        if not shape.fullmatch(word):
            return None
        self.at += 1
        return word

    def number_of(self, what: str) -> int:
        word = self.take(_NUMBER)
        if word is None:
            raise self.error(f"no {what}")
        return int(word)

    def value(self, key: str) -> str | None:
        """The value of ``key=value`` if that is the next word."""
        pair = _PAIR.fullmatch(self.peek())
        if pair is None or pair[1] != key:
            return None
        self.at += 1
        return pair[2]

    def integer(self, key: str) -> int | None:
        """The same, as a number; an error if it is none."""
        text = self.value(key)
        if text is None:
            return None
        if not _NUMBER.fullmatch(text):
            raise self.error(f"{key} is no number")
        return int(text)


def _entry(line: str, number: int) -> Entry:
    """Read one line."""
    tokens = _Tokens(line, number)
    family = None
    if tokens.peek() in _FAMILIES:
        family = tokens.peek()
        tokens.at += 1
        tokens.number_of("number of the address family")
    proto = tokens.peek()
    tokens.at += 1
    protocol = tokens.number_of("protocol number")
    timeout = tokens.take(_NUMBER)
    state = tokens.take(_STATE)
    while tokens.peek() and not tokens.peek().startswith("src="):
        # GRE writes its own timeouts here: "timeout=30, stream_timeout=180".
        tokens.at += 1
    original = _direction(tokens, proto, "zone-orig")
    status = _status(tokens)
    reply = _direction(tokens, proto, "zone-reply")
    status |= _status(tokens)
    if original.tuple.source.ip.version != reply.tuple.source.ip.version:
        raise tokens.error("two address families")
    rest = _rest(tokens)
    return Entry(
        family=family or f"ipv{original.tuple.source.ip.version}",
        proto=proto,
        number=protocol,
        timeout=None if timeout is None else int(timeout),
        state=state,
        directions=(original, reply),
        status=frozenset(status),
        mark=rest.get("mark"),
        zone=rest.get("zone"),
        text=line,
    )


def _direction(tokens: _Tokens, proto: str, zone: str) -> Direction:
    """Read ``src= dst=``, what the protocol has for ports, this direction's zone and counters."""
    source, dest = _address(tokens, "src"), _address(tokens, "dst")
    if source.version != dest.version:
        raise tokens.error("two address families")
    icmp = None
    sport = dport = None
    if proto in _ICMP:
        icmp = IcmpKey(*(_required(tokens, key) for key in ("type", "code", "id")))
    elif tokens.peek().startswith("sport="):
        sport, dport = _required(tokens, "sport"), _required(tokens, "dport")
    else:
        tokens.value("srckey")
        tokens.value("dstkey")
    zone_number = tokens.integer(zone)
    packets, octets = tokens.integer("packets"), tokens.integer("bytes")
    return Direction(
        tuple=Tuple(SocketAddress(source, sport), SocketAddress(dest, dport)),
        icmp=icmp,
        traffic=None if packets is None or octets is None else Traffic(packets, octets),
        zone=zone_number,
    )


def _address(tokens: _Tokens, key: str) -> IPAddress:
    text = tokens.value(key)
    if text is None:
        raise tokens.error(f"no {key}=")
    try:
        return ip_address(text)
    except ValueError:
        raise tokens.error(f"{key} is no address") from None


def _required(tokens: _Tokens, key: str) -> int:
    value = tokens.integer(key)
    if value is None:
        raise tokens.error(f"no {key}=")
    return value


def _status(tokens: _Tokens) -> set[str]:
    """Read words in brackets, such as [UNREPLIED] or [ASSURED]."""
    words = set()
    while word := tokens.take(_STATUS):
        words.add(word[1:-1])
    return words


def _rest(tokens: _Tokens) -> dict[str, int]:
    """Read what follows the two directions: mark, zone, use count and what else is configured."""
    numbers = {}
    for word in tokens.words[tokens.at :]:
        if word.startswith(("[start=", "[stop=")):
            continue
        pair = _PAIR.fullmatch(word)
        if pair is None:
            raise tokens.error(f"{word!r} is not expected here")
        if _NUMBER.fullmatch(pair[2]):
            numbers[pair[1]] = int(pair[2])
    return numbers
