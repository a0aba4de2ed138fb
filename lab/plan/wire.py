"""The plan as netlink bytes."""

from __future__ import annotations

from collections.abc import Callable

from lab.kernel import rtnetlink
from lab.plan.operations import (
    AddAddress,
    AddBridge,
    AddRoute,
    AddVeth,
    Operation,
    SetUp,
    SilenceIPv6,
)


def encode(operation: Operation, namespace_of: Callable[[str], int]) -> bytes:
    """Encode one operation; ``namespace_of`` gives the descriptor of a node's namespace."""
    match operation:
        case AddVeth():
            return rtnetlink.add_veth(
                operation.index,
                operation.name,
                operation.mac,
                operation.peer_index,
                operation.peer_name,
                operation.peer_mac,
                namespace_of(operation.peer_node),
                operation.mtu,
            )
        case SetUp(index=index, master=master):
            return rtnetlink.set_up(index, master)
        case SilenceIPv6(index=index):
            return rtnetlink.silence_ipv6(index)
        case AddAddress(index=index, address=address):
            return rtnetlink.add_address(index, address)
        case AddRoute():
            return rtnetlink.add_route(
                operation.destination, operation.via, operation.index, operation.kind
            )
        case AddBridge(index=index, name=name, mac=mac):
            return rtnetlink.add_bridge(index, name, mac)
