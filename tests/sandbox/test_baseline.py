"""A node's settings do not depend on the host's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.kernel import sysctl
from lab.kernel.namespaces import Namespace, unshare
from lab.model.topology import Interface, Kind, Link, Node, Topology
from lab.plan.planner import plan
from lab.sandbox import baseline, network
from tests.kernel.own_network import own_network

CONF = Path("/proc/sys/net/ipv4/conf")
SCOPES = ("all", "default", "lo")
# What devinet.c gives to a key; 0 to all others.
ONE = {
    "accept_redirects",
    "arp_evict_nocarrier",
    "secure_redirects",
    "send_redirects",
    "shared_media",
}
INTERVALS = {
    "igmpv2_unsolicited_report_interval": "10000",
    "igmpv3_unsolicited_report_interval": "1000",
}
LOOPBACK_ONLY = {"disable_policy", "disable_xfrm"}


def kernel_default(scope: str, name: str) -> str:
    """The value that the kernel is compiled with."""
    if name in INTERVALS:
        return INTERVALS[name]
    if name == "accept_source_route":
        return "0" if scope == "all" else "1"
    return "1" if name in ONE or (scope == "lo" and name in LOOPBACK_ONLY) else "0"


def keys(scope: str) -> Iterator[str]:
    """The keys of a scope that can be written."""
    for name in sorted(os.listdir(CONF / scope)):
        if name != "mc_forwarding":
            yield name


def differ(scope: str, name: str) -> None:
    """Set a key to something else than the kernel's default."""
    path = CONF / scope / name
    default = kernel_default(scope, name)
    other = str(int(default) + 1) if int(default) > 1 else str(1 - int(default))
    path.write_text(other)
    assert path.read_text().strip() != default, f"{scope}.{name}"


def differences(*scopes: str) -> dict[str, str]:
    """The keys whose value is not the kernel's default."""
    values = {
        (scope, name): (CONF / scope / name).read_text().strip()
        for scope in scopes
        for name in keys(scope)
    }
    return {
        f"{scope}.{name}": value
        for (scope, name), value in values.items()
        if value != kernel_default(scope, name)
    }


def correct() -> None:
    """Do to this namespace what is done to a new node's."""
    for key, value in baseline.corrections(baseline.snapshot()):
        sysctl.write(key, value)


def inherit_from_a_host_unlike_ours() -> None:
    """Change every key, an interface's last: lo is born with the host's default for interfaces."""
    for scope in SCOPES:
        for name in keys(scope):
            differ(scope, name)


@own_network
def test_a_namespace_that_differs_in_every_key_is_corrected() -> None:
    inherit_from_a_host_unlike_ours()
    correct()
    assert differences(*SCOPES) == {}


@own_network
@pytest.mark.parametrize("scope", SCOPES)
def test_a_namespace_that_differs_in_one_key_is_corrected(scope: str) -> None:
    for name in keys(scope):
        unshare(Namespace.NET)
        correct()
        differ(scope, name)
        correct()
        assert differences(*SCOPES) == {}, f"after {scope}.{name}"


@own_network
def test_a_namespace_as_the_kernel_makes_it_needs_no_correction() -> None:
    correct()
    assert baseline.corrections(baseline.snapshot()) == ()


@own_network
def test_no_node_takes_over_what_the_host_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def new_namespace(kinds: Namespace) -> None:
        unshare(kinds)
        inherit_from_a_host_unlike_ours()

    monkeypatch.setattr(network, "unshare", new_namespace)
    topology = Topology(
        "unlike",
        (Node("host"), Node("router", Kind.ROUTER), Node("lan", Kind.SWITCH)),
        (
            Link(Interface("host", "eth0"), Interface("router", "eth0")),
            Link(Interface("router", "eth1"), Interface("lan", "p1")),
        ),
    )
    built = network.Network()
    built.build(plan(topology))
    with built.inside("host"):
        assert differences("all", "default", "lo", "eth0") == {}
    with built.inside("lan"):
        assert differences("all", "default", "lo", "br0", "p1") == {}
    with built.inside("router"):
        scopes = ("all", "default", "lo", "eth0", "eth1")
        assert differences(*scopes) == {
            "all.accept_redirects": "0",
            **{f"{scope}.forwarding": "1" for scope in scopes},
        }
    built.close()


@own_network
def test_a_host_and_a_switch_do_not_forward_and_a_router_does() -> None:
    built = network.Network()
    kinds = {kind.value: kind for kind in Kind}
    built.build(plan(Topology("kinds", tuple(Node(name, kind) for name, kind in kinds.items()))))
    seen = {}
    for name in kinds:
        with built.inside(name):
            seen[name] = sysctl.read("net.ipv4.ip_forward")
    assert seen == {"host": "0", "router": "1", "switch": "0"}
    built.close()
