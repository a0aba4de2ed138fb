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
    route_words,
)
from lab.plan.planner import BRIDGE_NAME


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
            yield f"{ip} link add {shlex.quote(name)} address {mac} up type bridge mcast_snooping 0"
        case AddVeth():
            yield f"{ip} {_veth(operation)}"
            yield f"{ip} link set {shlex.quote(operation.name)} up"
        case SetUp(name=name, master=master):
            port = "" if master is None else f" master {BRIDGE_NAME}"
            yield f"{ip} link set {shlex.quote(name)} up{port}"
        case SilenceIPv6(name=name):
            yield f"{ip} link set {shlex.quote(name)} addrgenmode none"
        case AddAddress(name=name, address=address):
            nodad = " nodad" if address.version == 6 else ""
            yield f"{ip} address add {address} dev {shlex.quote(name)}{nodad}"
        case AddRoute(destination=destination):
            # "default" alone would be that of IPv4
            family = " -6" if destination.version == 6 else ""
            yield f"{ip}{family} route add {shlex.join(route_words(operation))}"


def _veth(operation: AddVeth) -> str:
    size = "" if operation.mtu is None else f" mtu {operation.mtu}"
    near, far = shlex.quote(operation.name), shlex.quote(operation.peer_name)
    return (
        f"link add {near} address {operation.mac}{size} type veth"
        f" peer name {far} address {operation.peer_mac}{size}"
        f" netns {shlex.quote(operation.peer_node)}"
    )
