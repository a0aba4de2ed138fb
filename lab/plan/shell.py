"""The plan as the shell script that one would type (ip-netns(8), ip-link(8))."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from lab.plan.operations import (
    AddAddress,
    AddBridge,
    AddRoute,
    AddVeth,
    Operation,
    Plan,
    Setting,
    SetUp,
    SilenceIPv6,
    route_text,
)


def script(plan: Plan) -> str:
    """Write the commands that make the same network by hand, in the plan's order."""
    lines = ["#!/bin/sh", "set -e"]
    lines += [f"ip netns add {shlex.quote(node)}" for node in plan.nodes]
    lines += [_setting(setting) for setting in plan.before]
    for batch in plan.batches:
        for operation in batch.operations:
            lines += _commands(batch.node, operation)
    lines += [_setting(setting) for setting in plan.after]
    return "\n".join(lines) + "\n"


def _setting(setting: Setting) -> str:
    pair = shlex.quote(f"{setting.key}={setting.value}")
    return f"ip netns exec {shlex.quote(setting.node)} sysctl -qw {pair}"


def _commands(node: str, operation: Operation) -> Iterator[str]:
    ip = f"ip -n {shlex.quote(node)}"
    match operation:
        case AddBridge(name=name, mac=mac):
            yield f"{ip} link add {name} address {mac} up type bridge mcast_snooping 0"
        case AddVeth():
            size = "" if operation.mtu is None else f" mtu {operation.mtu}"
            peer = shlex.quote(operation.peer_node)
            yield (
                f"{ip} link add {operation.name} address {operation.mac}{size} type veth"
                f" peer name {operation.peer_name} address {operation.peer_mac}{size} netns {peer}"
            )
            yield f"{ip} link set {operation.name} up"
        case SetUp(name=name, master=master):
            port = "" if master is None else " master br0"
            yield f"{ip} link set {name} up{port}"
        case SilenceIPv6(name=name):
            yield f"{ip} link set {name} addrgenmode none"
        case AddAddress(name=name, address=address):
            nodad = " nodad" if address.version == 6 else ""
            yield f"{ip} address add {address} dev {name}{nodad}"
        case AddRoute():
            yield f"{ip} route add {route_text(operation)}"
