"""Packets as they passed an interface: Ethernet, IP, TCP, UDP and ICMP headers decoded.

The formats are those of RFC 791, 8200, 9293, 768, 792 and 4443. Whatever the octets are, decoding
ends in a packet, a packet of which less is known, or nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from lab.kernel.packet_socket import Frame, Way
from lab.model.address import IPAddress, SocketAddress, Tuple
from lab.observe import icmp


@dataclass(frozen=True, slots=True)
class Icmp:
    """An ICMP or ICMPv6 message; ``quoted`` is the tuple of the packet that an error is about.

    ``id`` and ``seq`` belong to echo requests and replies.
    """

    type: int
    code: int
    id: int | None = None
    seq: int | None = None
    quoted: Tuple | None = None


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of one IP packet.

    ``proto`` is tcp, udp, icmp, icmpv6 or the IP protocol's number. ``tuple`` has ports only where
    the protocol has them and they are in these octets. ``flags`` are the letters of FSRPAUEW that
    are set, in that order, so that SYN-ACK is ``SA``. ``fragment`` is the offset in bytes of a
    fragment behind the first. ``whole`` is False where the octets end before the headers do.
    """

    proto: str
    tuple: Tuple
    ttl: int
    flags: str = ""
    seq: int | None = None
    ack: int | None = None
    icmp: Icmp | None = None
    fragment: int = 0
    whole: bool = True

    def __str__(self) -> str:
        words = [self.proto, str(self.tuple)]
        if self.proto == "tcp" and self.whole and not self.fragment:
            words.append(self.flags or "no flags")
        if self.icmp is not None:
            words.append(_icmp_text(self.icmp, self.tuple.source.ip.version))
        if self.fragment:
            words.append(f"fragment at {self.fragment}")
        words.append(f"ttl {self.ttl}")
        if not self.whole:
            words.append("cut short")
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class SeenPacket:
    """A packet at an interface of a node.

    ``time`` is in nanoseconds since the epoch, ``length`` the frame's in bytes. ``macs`` are
    source and destination, None on a link without them.
    """

    time: int
    node: str
    interface: str
    way: Way
    headers: Headers
    length: int
    macs: tuple[str, str] | None = None

    @property
    def where(self) -> str:
        """The place as a scenario writes it."""
        return f"{self.node}:{self.interface}"

    def __str__(self) -> str:
        return f"{self.where} {self.way} {self.headers}"


def see(frame: Frame, node: str, interface: str) -> SeenPacket | None:
    """Decode what a packet socket received; None for what is not IP."""
    macs = None
    offset = 0
    if frame.ethernet:
        offset = _ethernet(frame.octets)
        macs = (_mac(frame.octets[6:12]), _mac(frame.octets[0:6]))
    headers = dissect(frame.octets[offset:]) if offset >= 0 else None
    if headers is None:
        return None
    return SeenPacket(
        time=frame.time,
        node=node,
        interface=interface,
        way=frame.way,
        headers=headers,
        length=frame.length,
        macs=macs,
    )


def dissect(octets: bytes) -> Headers | None:
    """Decode the headers of an IP packet; None where not even the IP header is there."""
    network = _network(octets)
    if network is None:
        return None
    ends, payload = _ends(network), network.payload
    if network.fragment:
        return Headers(network.proto, ends, network.ttl, fragment=network.fragment)
    if network.number == _TCP:
        return _tcp(payload, ends, network.ttl)
    message = None
    whole = network.number not in _WITH_PORTS or len(payload) >= 8
    if network.number in (_ICMP, _ICMPV6):
        message = _icmp(payload, network.source.version)
        whole = len(payload) >= 8
    return Headers(network.proto, ends, network.ttl, icmp=message, whole=whole)


_FLAGS = "FSRPAUEW"

_TCP, _UDP, _UDPLITE, _SCTP, _DCCP, _ICMP, _ICMPV6 = 6, 17, 136, 132, 33, 1, 58
_NAMES = {_TCP: "tcp", _UDP: "udp", _ICMP: "icmp", _ICMPV6: "icmpv6"}
# Request and reply: ICMP_ECHO, ICMP_ECHOREPLY; ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY.
_ECHOES = {4: (8, 0), 6: (128, 129)}
_WITH_PORTS = (_TCP, _UDP, _UDPLITE, _SCTP, _DCCP)


def _mac(octets: bytes) -> str:
    return octets.hex(":")


def _ethernet(octets: bytes) -> int:
    """The offset of the IP header behind Ethernet and VLAN tags, -1 if there is none."""
    ethertypes_vlan = (0x8100, 0x88A8, 0x9100)  # ETH_P_8021Q, ETH_P_8021AD, ETH_P_QINQ1
    ethertypes_ip = (0x0800, 0x86DD)  # ETH_P_IP, ETH_P_IPV6
    offset = 12
    while offset + 2 <= len(octets):
        ethertype = int.from_bytes(octets[offset : offset + 2], "big")
        if ethertype in ethertypes_ip:
            return offset + 2
        if ethertype not in ethertypes_vlan:
            break
        offset += 4
    return -1


@dataclass(frozen=True, slots=True)
class _Network:
    """What the IP header says, and what follows it as far as it is there."""

    number: int
    source: IPAddress
    dest: IPAddress
    ttl: int
    fragment: int
    payload: bytes

    @property
    def proto(self) -> str:
        return _NAMES.get(self.number, str(self.number))


def _network(octets: bytes) -> _Network | None:
    version = octets[0] >> 4 if octets else 0
    if version == 4:
        return _ipv4(octets)
    if version == 6:
        return _ipv6(octets)
    return None


def _ipv4(octets: bytes) -> _Network | None:
    if len(octets) < 20:
        return None
    header_length = (octets[0] & 0x0F) * 4
    if header_length < 20:
        return None
    # Behind the packet Ethernet may have padding, which must not be taken for a payload.
    total = int.from_bytes(octets[2:4], "big")
    end = total if header_length <= total <= len(octets) else len(octets)
    return _Network(
        number=octets[9],
        source=IPv4Address(octets[12:16]),
        dest=IPv4Address(octets[16:20]),
        ttl=octets[8],
        fragment=(int.from_bytes(octets[6:8], "big") & 0x1FFF) * 8,
        payload=octets[header_length:end],
    )


def _ipv6(octets: bytes) -> _Network | None:
    if len(octets) < 40:
        return None
    number, offset, fragment = _skip_extensions(octets)
    return _Network(
        number=number,
        source=IPv6Address(octets[8:24]),
        dest=IPv6Address(octets[24:40]),
        ttl=octets[7],
        fragment=fragment,
        payload=octets[offset:],
    )


def _skip_extensions(octets: bytes) -> tuple[int, int, int]:
    """Walk IPv6's extension headers: the transport's number and offset, the fragment's offset."""
    hop_by_hop, routing, fragment_header, authentication, destination = 0, 43, 44, 51, 60
    number, offset, fragment = octets[6], 40, 0
    while offset + 8 <= len(octets) and not fragment:
        if number in (hop_by_hop, routing, destination):
            length = (octets[offset + 1] + 1) * 8
        elif number == authentication:
            length = (octets[offset + 1] + 2) * 4
        elif number == fragment_header:
            length = 8
            fragment = int.from_bytes(octets[offset + 2 : offset + 4], "big") & 0xFFF8
        else:
            break
        number, offset = octets[offset], offset + length
    return number, offset, fragment


def _ends(network: _Network) -> Tuple:
    """The packet's tuple, with ports where the protocol has them and they are there."""
    sport = dport = None
    if network.number in _WITH_PORTS and not network.fragment and len(network.payload) >= 4:
        sport, dport = struct.unpack_from("!HH", network.payload)
    return Tuple(SocketAddress(network.source, sport), SocketAddress(network.dest, dport))


def _tcp(payload: bytes, ends: Tuple, ttl: int) -> Headers:
    whole = len(payload) >= 20
    if len(payload) < 14:
        seq = int.from_bytes(payload[4:8], "big") if len(payload) >= 8 else None
        return Headers("tcp", ends, ttl, seq=seq, whole=False)
    seq, ack = struct.unpack_from("!II", payload, 4)
    flags = "".join(letter for bit, letter in enumerate(_FLAGS) if payload[13] & 1 << bit)
    return Headers("tcp", ends, ttl, flags=flags, seq=seq, ack=ack, whole=whole)


def _icmp(payload: bytes, version: int) -> Icmp | None:
    """Decode an ICMP message, and the tuple of the packet that an error quotes."""
    if len(payload) < 2:
        return None
    kind, code = payload[0], payload[1]
    if icmp.is_error(version, kind):
        quoted = _network(payload[8:])
        return Icmp(kind, code, quoted=None if quoted is None else _ends(quoted))
    if kind in _ECHOES[version] and len(payload) >= 8:
        identifier, sequence = struct.unpack_from("!HH", payload, 4)
        return Icmp(kind, code, id=identifier, seq=sequence)
    return Icmp(kind, code)


def _icmp_text(message: Icmp, version: int) -> str:
    if message.id is not None:
        what = "request" if message.type == _ECHOES[version][0] else "reply"
        return f"echo {what} id {message.id} seq {message.seq}"
    text = icmp.name(version, message.type, message.code)
    return text if message.quoted is None else f"{text} about {message.quoted}"
