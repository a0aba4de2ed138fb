"""A Mininet `Topo` object in the written form of a topology: the only module that knows Mininet.

Mininet's own parameters keep their meaning (mininet/topo.py, net.py, node.py and link.py): a
host's `ip`, `mac` and `defaultRoute` are those of its first interface, a host that is given no
address anywhere gets 10.0.0.N/8, and an interface that is given no name is called NODE-ethPORT.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mininet.topo import Topo

Written = dict[str, Any]

# Parameters of Mininet's nodes that are read here, or that mean nothing on a Linux bridge: there
# is no controller and no OpenFlow.
_NODE_PARAMETERS: Final = frozenset(
    {
        "ip",
        "mac",
        "defaultRoute",
        "dpid",
        "isSwitch",
        "cls",
        "inNamespace",
        "listenPort",
        "protocols",
        "datapath",
        "failMode",
        "batch",
        "stp",
        "prio",
    }
)
# Parameters of Mininet's links that are read here, and its other name for our `rate`.
_LINK_PARAMETERS: Final = frozenset(
    {
        "node1",
        "node2",
        "port1",
        "port2",
        "intfName1",
        "intfName2",
        "params1",
        "params2",
        "addr1",
        "addr2",
        "cls",
        "cls1",
        "cls2",
        "intf",
    }
)
_RENAMED: Final = {"bridge_nf_call_iptables": "bridge-nf-call-iptables", "bw": "rate"}


def is_topo_class(value: object) -> bool:
    """Whether a value is a subclass of Mininet's Topo."""
    from mininet.topo import Topo

    return isinstance(value, type) and issubclass(value, Topo)


def import_file(path: Path) -> ModuleType:
    """Import a Python file by its path; whatever it raises is passed on."""
    spec = importlib.util.spec_from_file_location(f"topology_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file", path=str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written_topology(topo: Topo) -> Written:
    """Write a Topo object the way a scenario writes a topology: ``nodes`` and ``links``.

    Args:
        topo: the object, built.

    Returns:
        What may stand under `topology:`, made of whatever the object's parameters are made of.
    """
    links = [_link(topo, parameters) for parameters in _links_in_order(topo)]
    nodes = {str(name): _node(topo, name) for name in topo.nodes(sort=False)}
    hosts = [name for name in topo.nodes(sort=True) if not topo.isSwitch(name)]
    for number, name in enumerate(hosts, start=1):
        _give_first_interface(name, topo.nodeInfo(name), links, number)
    return {"nodes": nodes, "links": links}


def _node(topo: Topo, name: str) -> Written:
    """A node's own keys."""
    parameters: Mapping[str, Any] = topo.nodeInfo(name)
    node = {
        _RENAMED.get(key, key): value
        for key, value in parameters.items()
        if key not in _NODE_PARAMETERS
    }
    if topo.isSwitch(name):
        node["kind"] = "switch"
    if parameters.get("inNamespace", True) is not True:
        node["inNamespace"] = parameters["inNamespace"]
    route = parameters.get("defaultRoute")
    if route is not None:
        via = route if " " in str(route) else f"dev {route}"
        node["routes"] = [f"default {via}", *node.get("routes", ())]
    return node


def _links_in_order(topo: Topo) -> list[Mapping[str, Any]]:
    """The links' parameters, in an order that keeps each node's ports in theirs.

    A Topo keeps its links by node, not in the order in which they were added; but each node's
    ports are numbered in that order. A link comes when it is next at both of its ends.
    """
    waiting: dict[str, list[Mapping[str, Any]]] = {}
    links = [parameters for _, _, parameters in topo.iterLinks(withInfo=True)]
    for parameters in links:
        for node in (parameters["node1"], parameters["node2"]):
            waiting.setdefault(node, []).append(parameters)
    for node, own in waiting.items():
        own.sort(key=lambda parameters, node=node: _port(parameters, node))  # type: ignore[misc]
    ordered: list[Mapping[str, Any]] = []
    while len(ordered) < len(links):
        following = next(_next_at_both_ends(waiting), None)
        if following is None:
            # Ports numbered by hand need not fit any order.
            return links
        for node in {following["node1"], following["node2"]}:
            waiting[node].remove(following)
        ordered.append(following)
    return ordered


def _port(parameters: Mapping[str, Any], node: str) -> int:
    return int(parameters["port1" if parameters["node1"] == node else "port2"])


def _next_at_both_ends(
    waiting: Mapping[str, list[Mapping[str, Any]]],
) -> Iterator[Mapping[str, Any]]:
    for own in waiting.values():
        if own and all(waiting[own[0][end]][0] is own[0] for end in ("node1", "node2")):
            yield own[0]


def _link(topo: Topo, parameters: Mapping[str, Any]) -> Written:
    link: Written = {
        _RENAMED.get(key, key): value
        for key, value in parameters.items()
        if key not in _LINK_PARAMETERS
    }
    link |= {"endpoints": [], "ipv4": {}, "ipv6": {}, "mac": {}}
    for end in ("1", "2"):
        node, own = parameters["node" + end], parameters.get("params" + end) or {}
        name = parameters.get("intfName" + end) or f"{node}-eth{parameters['port' + end]}"
        endpoint = f"{node}:{name}"
        link["endpoints"].append(endpoint)
        addresses = [*_many(own.get("ip")), *_many(own.get("ipv4"))]
        _put(link["ipv4"], endpoint, [_with_prefix(address) for address in addresses])
        _put(link["ipv6"], endpoint, _many(own.get("ipv6")))
        _put(link["mac"], endpoint, own.get("mac") or parameters.get("addr" + end))
    return link


def _give_first_interface(
    name: str, parameters: Mapping[str, Any], links: list[Written], number: int
) -> None:
    """Give a host's own `ip` and `mac` to its first interface, where its link gives none."""
    prefix = f"{name}:"
    mine = [
        (link, endpoint)
        for link in links
        for endpoint in link["endpoints"]
        if endpoint.startswith(prefix)
    ]
    if not mine:
        return
    first, endpoint = mine[0]
    addressed = any(end in link[family] for link, end in mine for family in ("ipv4", "ipv6"))
    # Mininet's Net.addHost numbers all hosts, those that have an address of their own as well.
    automatic = None if addressed else f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/8"
    address = parameters.get("ip", automatic)
    if address is not None and endpoint not in first["ipv4"]:
        first["ipv4"][endpoint] = [_with_prefix(item) for item in _many(address)]
    if parameters.get("mac") is not None:
        first["mac"].setdefault(endpoint, parameters["mac"])


def _with_prefix(address: object) -> object:
    """Mininet takes an address without a prefix length as one with /8."""
    return f"{address}/8" if isinstance(address, str) and "/" not in address else address


def _many(value: object) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _put(mapping: Written, key: str, value: object) -> None:
    if value:
        mapping[key] = value
