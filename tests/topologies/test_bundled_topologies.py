"""The topologies that ship with the package, as scenarios see them."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from lab.model.topology import Kind, Topology
from lab.spec.bundled import bundled
from lab.spec.topology import bundled_topologies, load_topology
from tests.spec.plain_loader import no_loader

FILES = sorted(bundled("topologies").glob("*.py"))


def addresses(topology: Topology) -> dict[str, list[str]]:
    """The addresses of every interface of a host or router."""
    return {
        f"{end.node}:{end.name}": [str(address) for address in end.addresses]
        for link in topology.links
        for end in link.ends
        if topology.node(end.node).kind is not Kind.SWITCH
    }


def routes(topology: Topology) -> dict[str, list[str]]:
    """The gateways of the nodes that have one."""
    return {
        node.name: [f"{route.destination} via {route.via}" for route in node.routes]
        for node in topology.nodes
        if node.routes
    }


def kinds(topology: Topology) -> dict[str, list[str]]:
    """The names of the nodes of each kind."""
    found: dict[str, list[str]] = {}
    for node in topology.nodes:
        found.setdefault(node.kind, []).append(node.name)
    return found


def test_home_router() -> None:
    topology = load_topology("home-router", no_loader)
    assert kinds(topology) == {
        "host": ["client", "server1", "server2"],
        "router": ["isp", "router"],
        "switch": ["lan"],
    }
    assert addresses(topology) == {
        "client:eth0": ["10.10.10.10/24"],
        "isp:eth0": ["10.10.10.1/24"],
        "isp:eth1": ["22.22.22.1/24"],
        "router:ppp0": ["22.22.22.22/24"],
        "router:lan0": ["192.168.1.3/24"],
        "server1:eth0": ["192.168.1.1/24"],
        "server2:eth0": ["192.168.1.2/24"],
    }
    assert routes(topology) == {
        "client": ["0.0.0.0/0 via 10.10.10.1"],
        "router": ["0.0.0.0/0 via 22.22.22.1"],
        "server1": ["0.0.0.0/0 via 192.168.1.3"],
        "server2": ["0.0.0.0/0 via 192.168.1.3"],
    }
    assert topology.notes == ("ppp0: emulated by veth",)


def test_single_nic() -> None:
    topology = load_topology("single-nic", no_loader)
    assert kinds(topology) == {"switch": ["lan"], "host": ["client", "a", "b"]}
    assert addresses(topology) == {
        "client:eth0": ["192.168.1.185/24"],
        "a:eth0": ["192.168.1.34/24"],
        "b:eth0": ["192.168.1.32/24"],
    }
    assert routes(topology) == {}


def test_nat_vm() -> None:
    topology = load_topology("nat-vm", no_loader)
    assert kinds(topology) == {"host": ["host", "vm", "site"], "router": ["gw"]}
    assert addresses(topology) == {
        "vm:enp0s3": ["10.0.2.15/24"],
        "gw:eth0": ["10.0.2.2/24"],
        "host:eth0": ["192.168.57.1/24"],
        "vm:enp0s9": ["192.168.57.3/24"],
        "host:eth1": ["192.168.56.1/24"],
        "vm:enp0s8": ["192.168.56.3/24"],
        "gw:eth1": ["183.3.226.1/24"],
        "site:eth0": ["183.3.226.35/24"],
    }
    assert routes(topology) == {"vm": ["0.0.0.0/0 via 10.0.2.2"]}
    assert [command.text for command in topology.node("gw").exec] == [
        "iptables -t nat -A POSTROUTING -s 10.0.2.0/24 -o eth1 -j MASQUERADE"
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_topology_is_called_as_its_file(file: Path) -> None:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert list(module.topos) == [file.stem.replace("_", "-")]


@pytest.mark.parametrize("name", bundled_topologies())
def test_every_topology_can_be_built(name: str) -> None:
    assert load_topology(name, no_loader).name == name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_topology_is_drawn(file: Path) -> None:
    drawing = ast.get_docstring(ast.parse(file.read_text()))
    assert drawing is not None
    for address in addresses(load_topology(file.stem.replace("_", "-"), no_loader)).values():
        assert address[0].partition("/")[0] in drawing


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_switch_has_a_dpid(file: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    switches = [
        call
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "addSwitch"
    ]
    for switch in switches:
        (dpid,) = [
            ast.literal_eval(keyword.value) for keyword in switch.keywords if keyword.arg == "dpid"
        ]
        # Mininet makes it of the digits in a switch's name, and refuses a name without any.
        assert len(dpid) == 16
        assert int(dpid, 16) > 0
