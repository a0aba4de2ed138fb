"""Expected packets beside those that passed: each of them, at its place, in the order given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.model.events import Mismatch
from lab.model.expectation import Packet, Packets
from lab.observe.listing import counted, others
from lab.observe.packets import SeenPacket
from lab.observe.seen import Seen


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one expected packet.

    ``found`` is the packet that fits. Where none does, ``early`` is one that fits but passed
    before its turn, and ``others`` are those that passed its place, the closest first.
    """

    expected: Packet
    found: SeenPacket | None = None
    early: SeenPacket | None = None
    others: tuple[SeenPacket, ...] = ()


def in_order(passed: Iterable[SeenPacket], expected: Sequence[Packet]) -> tuple[Match, ...]:
    """Find each expected packet behind the one that was found before it, by the time stamps.

    For a packet that must not be seen, ``found`` is any that fits, whenever it passed.
    """
    timeline = sorted(passed, key=lambda packet: packet.time)
    matches = []
    turn = 0
    for packet in expected:
        at = _first(timeline, packet, turn if packet.seen else 0)
        if at is not None:
            matches.append(Match(packet, found=timeline[at]))
            turn = at + 1 if packet.seen else turn
        elif packet.seen:
            early = _first(timeline, packet, 0)
            matches.append(
                Match(
                    packet,
                    early=None if early is None else timeline[early],
                    others=_others(timeline, packet),
                )
            )
        else:
            matches.append(Match(packet))
    return tuple(matches)


def packets(expected: Packets, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare the packets that passed with those expected.

    Where packets were lost at a place, that one was not seen there is no proof of its absence.
    """
    mismatches: list[Mismatch] = []
    for number, match in enumerate(in_order(seen.packets, expected.packets), start=1):
        packet = match.expected
        place = f"{packet.node}:{packet.interface}"
        field = f"packet {number} at {place}"
        if packet.seen and match.found is None:
            found = _unseen(match)
        elif not packet.seen and match.found is not None:
            found = [("", f"no {_text(packet)}", str(match.found.headers))]
        elif not packet.seen and seen.lost.get(place):
            found = [("", f"no {_text(packet)}", "unknown")]
        else:
            continue
        lost = seen.lost.get(place, 0)
        note = f" ({counted(lost, 'packet')} lost here)" if lost else ""
        mismatches += [
            Mismatch(
                field=f"{field} {name}".rstrip(),
                expected=wanted,
                observed=observed + note,
                location=str(expected.location),
            )
            for name, wanted, observed in found
        ]
    return tuple(mismatches)


def differences(packet: Packet, passed: SeenPacket) -> tuple[tuple[str, str, str], ...]:
    """The fields in which a packet is not the expected one: name, expected, observed.

    TCP flags are compared as a set; ECE and CWR, which depend on the hosts' ECN settings, only
    where the expectation names one of them. ``icmp`` stands for ICMPv6 too.
    """
    headers = passed.headers
    found = []
    if packet.proto != headers.proto and (packet.proto, headers.proto) != ("icmp", "icmpv6"):
        found.append(("proto", packet.proto, headers.proto))
    if not packet.tuple.matches(headers.tuple):
        found.append(("tuple", str(packet.tuple), str(headers.tuple)))
    if packet.flags is not None and not _same_flags(packet.flags, headers.flags):
        found.append(("flags", packet.flags, headers.flags or "none"))
    if packet.ttl is not None and packet.ttl != headers.ttl:
        found.append(("ttl", str(packet.ttl), str(headers.ttl)))
    return tuple(found)


def _same_flags(expected: str, observed: str) -> bool:
    ecn = set("EW")
    wanted, there = set(expected), set(observed)
    return wanted == (there if wanted & ecn else there - ecn)


def _fits(packet: Packet, passed: SeenPacket) -> bool:
    at = (packet.node, packet.interface) == (passed.node, passed.interface)
    return at and not differences(packet, passed)


def _first(timeline: Sequence[SeenPacket], packet: Packet, turn: int) -> int | None:
    """The position of the first packet that fits, from ``turn`` on."""
    positions = range(turn, len(timeline))
    return next((at for at in positions if _fits(packet, timeline[at])), None)


def _others(timeline: Sequence[SeenPacket], packet: Packet) -> tuple[SeenPacket, ...]:
    """The packets at the place, those with the fewest differences first, then by time."""
    here = (
        passed
        for passed in timeline
        if (packet.node, packet.interface) == (passed.node, passed.interface)
    )
    return tuple(sorted(here, key=lambda passed: len(differences(packet, passed))))


def _unseen(match: Match) -> list[tuple[str, str, str]]:
    """Say why an expected packet was not found: too early, other flags or TTL, or not there."""
    packet = match.expected
    if match.early is not None:
        wanted = f"{_text(packet)} behind those before it"
        return [("order", wanted, f"passed earlier: {match.early.headers}")]
    if match.others:
        found = differences(packet, match.others[0])
        if {name for name, _, _ in found} <= {"flags", "ttl"}:
            return list(found)
    return [("", _text(packet), others((passed.headers for passed in match.others), "no packet"))]


def _text(packet: Packet) -> str:
    """Write an expected packet as a seen one is written."""
    words = [packet.proto, str(packet.tuple)]
    words += [packet.flags] if packet.flags is not None else []
    words += [f"ttl {packet.ttl}"] if packet.ttl is not None else []
    return " ".join(words)
