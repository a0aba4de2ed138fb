"""Links, addresses, routes and neighbours of a network namespace, as rtnetlink dumps them.

Each function asks over a NETLINK_ROUTE socket that was opened in the namespace (rtnetlink(7)), so
the calling thread need not be there; pyroute2 only decodes.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

from lab.kernel.netlink import NLMSG_ERROR, message
from lab.kernel.rtnl_records import Address, Link, NeighbourEntry, NextHop, RouteEntry


def links(channel: socket.socket) -> tuple[Link, ...]:
    """The interfaces of the namespace, in the order of their indexes. Raises OSError."""
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

    rtm_getlink, iff_up = 18, 1
    return tuple(
        Link(
            index=found["index"],
            name=found.get_attr("IFLA_IFNAME"),
            up=bool(found["flags"] & iff_up),
            state=found.get_attr("IFLA_OPERSTATE"),
            mtu=found.get_attr("IFLA_MTU"),
            mac=found.get_attr("IFLA_ADDRESS"),
        )
        for found in _dump(channel, rtm_getlink, struct.pack("=B15x", socket.AF_UNSPEC), ifinfmsg)
    )


def addresses(channel: socket.socket) -> tuple[Address, ...]:
    """The addresses of the namespace's interfaces. Raises OSError."""
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

    rtm_getaddr = 22
    names = _names(channel)
    body = struct.pack("=B7x", socket.AF_UNSPEC)
    return tuple(
        Address(
            dev=_name(names, found["index"]),
            # IFA_ADDRESS is the peer's on a point-to-point link, and IPv6 has no IFA_LOCAL.
            address=ip_interface(
                (
                    found.get_attr("IFA_LOCAL") or found.get_attr("IFA_ADDRESS"),
                    found["prefixlen"],
                )
            ),
            scope=_SCOPES.get(found["scope"], str(found["scope"])),
        )
        for found in _dump(channel, rtm_getaddr, body, ifaddrmsg)
    )


def routes(channel: socket.socket) -> tuple[RouteEntry, ...]:
    """The main table, IPv4 first, as ``ip route`` and ``ip -6 route`` show it. Raises OSError."""
    from pyroute2.netlink.rtnl.rtmsg import rtmsg

    rtm_getroute, rt_table_main, rtm_f_cloned = 26, 254, 0x200
    names = _names(channel)
    return tuple(
        _route(found, names)
        for family in (socket.AF_INET, socket.AF_INET6)
        for found in _dump(channel, rtm_getroute, struct.pack("=B11x", family), rtmsg)
        if found.get_attr("RTA_TABLE") == rt_table_main and not found["flags"] & rtm_f_cloned
    )


def neighbours(channel: socket.socket) -> tuple[NeighbourEntry, ...]:
    """The neighbours that ``ip neigh`` shows: all but NOARP and unused ones. Raises OSError."""
    from pyroute2.netlink.rtnl.ndmsg import ndmsg

    rtm_getneigh, ntf_router = 30, 0x80
    names = _names(channel)
    body = struct.pack("=B11x", socket.AF_UNSPEC)
    return tuple(
        NeighbourEntry(
            address=ip_address(found.get_attr("NDA_DST")),
            dev=_name(names, found["ifindex"]),
            lladdr=found.get_attr("NDA_LLADDR"),
            state=_NEIGHBOUR_STATES[found["state"]],
            router=bool(found["flags"] & ntf_router),
        )
        for found in _dump(channel, rtm_getneigh, body, ndmsg)
        if found["state"] in _NEIGHBOUR_STATES and found["family"] in _IP_FAMILIES
    )


# linux/rtnetlink.h: enum rt_scope_t, RTN_*, RTPROT_* (the names of iproute2's rt_protos), RTNH_F_*
_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_KINDS = {
    1: "unicast",
    2: "local",
    3: "broadcast",
    4: "anycast",
    5: "multicast",
    6: "blackhole",
    7: "unreachable",
    8: "prohibit",
    9: "throw",
    10: "nat",
}
_PROTOS = {
    0: "unspec",
    1: "redirect",
    2: "kernel",
    3: "boot",
    4: "static",
    9: "ra",
    11: "zebra",
    12: "bird",
    16: "dhcp",
    42: "babel",
    186: "bgp",
    188: "ospf",
}
_HOP_FLAGS = {
    1: "dead",
    4: "onlink",
    2: "pervasive",
    8: "offload",
    64: "trap",
    16: "linkdown",
    32: "unresolved",
}
_PREFS = {0: "medium", 1: "high", 3: "low"}
# linux/neighbour.h: NUD_*
_NEIGHBOUR_STATES = {
    0x01: "INCOMPLETE",
    0x02: "REACHABLE",
    0x04: "STALE",
    0x08: "DELAY",
    0x10: "PROBE",
    0x20: "FAILED",
    0x80: "PERMANENT",
}
_IP_FAMILIES = (socket.AF_INET, socket.AF_INET6)


def _dump(
    channel: socket.socket, kind: int, body: bytes, decoder: Callable[[bytes], Any]
) -> list[Any]:
    """Ask for a whole table; again if it changed while the kernel was writing it."""
    nlm_f_dump = 0x300  # linux/netlink.h
    while True:
        channel.send(message(kind, nlm_f_dump, body))
        answers = list(_answers(channel))
        if not any(interrupted for interrupted, _ in answers):
            break
    decoded = [decoder(octets) for _, octets in answers]
    for answer in decoded:
        answer.decode()
    return decoded


def _answers(channel: socket.socket) -> Iterator[tuple[bool, bytes]]:
    """Receive a dump's messages up to NLMSG_DONE, each with whether the dump was interrupted."""
    nlmsg_done, nlm_f_dump_intr = 3, 0x10  # linux/netlink.h
    header = struct.Struct("=IHHII")
    while True:
        octets = channel.recv(1 << 18)
        offset = 0
        while offset < len(octets):
            length, kind, flags, _, _ = header.unpack_from(octets, offset)
            if kind in (NLMSG_ERROR, nlmsg_done):
                (error,) = struct.unpack_from("=i", octets, offset + header.size)
                if error:
                    raise OSError(-error, f"rtnetlink dump: {os.strerror(-error)}")
                return
            yield bool(flags & nlm_f_dump_intr), octets[offset : offset + length]
            offset += (length + 3) & ~3


def _names(channel: socket.socket) -> dict[int, str]:
    return {link.index: link.name for link in links(channel)}


def _name(names: dict[int, str], index: int) -> str:
    return names.get(index, f"if{index}")


def _route(found: Any, names: dict[int, str]) -> RouteEntry:
    """Turn a decoded struct rtmsg and its attributes into a route."""
    everything = "0.0.0.0" if found["family"] == socket.AF_INET else "::"
    prefix = (found.get_attr("RTA_DST") or everything, found["dst_len"])
    source = found.get_attr("RTA_PREFSRC")
    multipath = found.get_attr("RTA_MULTIPATH")
    if multipath:
        hops = tuple(_hop(hop, hop["oif"], names) for hop in multipath)
    else:
        hops = (_hop(found, found.get_attr("RTA_OIF"), names),)
    return RouteEntry(
        kind=_KINDS.get(found["type"], str(found["type"])),
        destination=ip_network(prefix),
        hops=tuple(hop for hop in hops if hop.via or hop.dev),
        proto=_PROTOS.get(found["proto"], str(found["proto"])),
        scope=_SCOPES.get(found["scope"], str(found["scope"])),
        source=ip_address(source) if source else None,
        metric=found.get_attr("RTA_PRIORITY"),
        tos=found["tos"],
        options=_options(found.get_attr("RTA_METRICS")),
        pref=_PREFS.get(found.get_attr("RTA_PREF")),
    )


def _hop(found: Any, oif: int | None, names: dict[int, str]) -> NextHop:
    """Read a next hop from a route or from one of the members of RTA_MULTIPATH."""
    gateway = found.get_attr("RTA_GATEWAY")
    if gateway is None and (other_family := found.get_attr("RTA_VIA")):
        gateway = other_family["addr"]
    return NextHop(
        via=ip_address(gateway) if gateway else None,
        dev=_name(names, oif) if oif else None,
        weight=found.get("hops", 0) + 1,
        flags=tuple(word for flag, word in _HOP_FLAGS.items() if found["flags"] & flag),
    )


def _options(metrics: Any) -> tuple[str, ...]:
    """``mtu 1400`` and the like; a locked one is marked as ip-route(8) does."""
    if metrics is None:
        return ()
    plain = {"RTAX_MTU": 2, "RTAX_WINDOW": 3, "RTAX_ADVMSS": 8, "RTAX_HOPLIMIT": 10}
    plain |= {"RTAX_INITCWND": 11, "RTAX_INITRWND": 14, "RTAX_QUICKACK": 15, "RTAX_CC_ALGO": 16}
    locked = metrics.get_attr("RTAX_LOCK") or 0
    words: list[str] = []
    for name, value in metrics["attrs"]:
        if name in plain:
            word = "congctl" if name == "RTAX_CC_ALGO" else name.removeprefix("RTAX_").lower()
            words += [word, *(["lock"] if locked & 1 << plain[name] else []), str(value)]
    return tuple(words)
