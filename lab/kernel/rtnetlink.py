"""Links, addresses and routes as rtnetlink requests (rtnetlink(7)), encoded by hand.

pyroute2's encoders make the same bytes (a test compares them), but importing them costs more
than building a small lab.
"""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Network, IPv6Network

from lab.kernel.netlink import NLM_F_CREATE, NLM_F_EXCL, attribute, message
from lab.model.address import IPAddress, IPInterface

# linux/rtnetlink.h
RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE = 16, 20, 24
_NEW = NLM_F_CREATE | NLM_F_EXCL
# linux/if_link.h
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER, _IFLA_LINKINFO = 1, 3, 4, 10, 18
_IFLA_AF_SPEC, _IFLA_NET_NS_FD, _IFLA_NUM_TX_QUEUES, _IFLA_NUM_RX_QUEUES = 26, 28, 31, 32
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_IFF_UP = 1

_IFINFOMSG = struct.Struct("=BxHiII")
_IFADDRMSG = struct.Struct("=BBBBI")
_RTMSG = struct.Struct("=BBBBBBBBI")
_U32 = struct.Struct("=I")
_ONE_QUEUE = attribute(_IFLA_NUM_TX_QUEUES, _U32.pack(1)) + attribute(
    _IFLA_NUM_RX_QUEUES, _U32.pack(1)
)
_IFLA_INET6_ADDR_GEN_MODE, _IN6_ADDR_GEN_MODE_NONE = 8, b"\1"
_NO_IPV6_ADDRESS = attribute(
    _IFLA_AF_SPEC,
    attribute(socket.AF_INET6, attribute(_IFLA_INET6_ADDR_GEN_MODE, _IN6_ADDR_GEN_MODE_NONE)),
)


def _link(index: int, *, up: bool = False) -> bytes:
    flag = _IFF_UP if up else 0
    return _IFINFOMSG.pack(socket.AF_UNSPEC, 0, index, flag, flag)


def _name(name: str) -> bytes:
    return attribute(_IFLA_IFNAME, name.encode() + b"\0")


def _mac(mac: str) -> bytes:
    return attribute(_IFLA_ADDRESS, bytes.fromhex(mac.replace(":", "")))


def _identity(name: str, mac: str, mtu: int | None) -> bytes:
    size = b"" if mtu is None else attribute(_IFLA_MTU, _U32.pack(mtu))
    return _name(name) + _mac(mac) + size + _ONE_QUEUE


def add_veth(
    index: int,
    name: str,
    mac: str,
    peer_index: int,
    peer_name: str,
    peer_mac: str,
    peer_namespace: int,
    mtu: int | None = None,
) -> bytes:
    """A veth pair (veth(4)): this end up, the other end down in the namespace of a descriptor.

    Explicit indexes spare every later look-up; one queue each way halves the kernel's work.
    """
    veth_info_peer = 1
    peer = (
        _link(peer_index)
        + _identity(peer_name, peer_mac, mtu)
        + attribute(_IFLA_NET_NS_FD, _U32.pack(peer_namespace))
    )
    info = attribute(_IFLA_INFO_KIND, b"veth\0") + attribute(
        _IFLA_INFO_DATA, attribute(veth_info_peer, peer)
    )
    body = _link(index, up=True) + _identity(name, mac, mtu) + attribute(_IFLA_LINKINFO, info)
    return message(RTM_NEWLINK, _NEW, body)


def add_bridge(index: int, name: str, mac: str) -> bytes:
    """A bridge, up, that floods multicast instead of snooping it (a switch without IGMP)."""
    ifla_br_mcast_snooping = 23
    info = attribute(_IFLA_INFO_KIND, b"bridge\0") + attribute(
        _IFLA_INFO_DATA, attribute(ifla_br_mcast_snooping, b"\0")
    )
    body = _link(index, up=True) + _name(name) + _mac(mac) + attribute(_IFLA_LINKINFO, info)
    return message(RTM_NEWLINK, _NEW, body)


def set_up(index: int, master: int | None = None) -> bytes:
    """Set a link up, as a port of the bridge with index ``master`` if one is given."""
    port = b"" if master is None else attribute(_IFLA_MASTER, _U32.pack(master))
    return message(RTM_NEWLINK, 0, _link(index, up=True) + port)


def silence_ipv6(index: int) -> bytes:
    """Have a link make no IPv6 address of its own, hence send no router or neighbour discovery."""
    return message(RTM_NEWLINK, 0, _link(index) + _NO_IPV6_ADDRESS)


def add_address(index: int, address: IPInterface) -> bytes:
    """An address with its prefix; IPv6 without duplicate detection, which would take a second."""
    ifa_address, ifa_local, ifa_f_nodad = 1, 2, 0x2
    v6 = address.version == 6
    body = _IFADDRMSG.pack(
        socket.AF_INET6 if v6 else socket.AF_INET,
        address.network.prefixlen,
        ifa_f_nodad if v6 else 0,
        0,
        index,
    )
    packed = address.ip.packed
    return message(
        RTM_NEWADDR, _NEW, body + attribute(ifa_local, packed) + attribute(ifa_address, packed)
    )


def add_route(
    destination: IPv4Network | IPv6Network,
    gateway: IPAddress | None = None,
    index: int | None = None,
    kind: str = "unicast",
) -> bytes:
    """A route in the main table; ``kind`` is unicast, blackhole, unreachable or prohibit."""
    rta_dst, rta_oif, rta_gateway = 1, 4, 5
    rt_table_main, rtprot_boot, rt_scope_universe, rt_scope_link = 254, 3, 0, 253
    rtn = {"unicast": 1, "blackhole": 6, "unreachable": 7, "prohibit": 8}[kind]
    direct = kind == "unicast" and gateway is None and destination.version == 4
    body = _RTMSG.pack(
        socket.AF_INET6 if destination.version == 6 else socket.AF_INET,
        destination.prefixlen,
        0,
        0,
        rt_table_main,
        rtprot_boot,
        rt_scope_link if direct else rt_scope_universe,
        rtn,
        0,
    )
    if destination.prefixlen:
        body += attribute(rta_dst, destination.network_address.packed)
    if gateway is not None:
        body += attribute(rta_gateway, gateway.packed)
    if index is not None:
        body += attribute(rta_oif, _U32.pack(index))
    return message(RTM_NEWROUTE, _NEW, body)
