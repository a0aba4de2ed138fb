from __future__ import annotations

import pytest

from lab.spec.addresses import Surroundings, parse_interface, parse_pattern, parse_tuple
from lab.spec.misfit import Misfit
from tests.spec.conftest import Read

TOPOLOGY = """
topology:
  nodes: {client: {}, router: {kind: router}, dual: {}, six: {}, none: {}, lan: {kind: switch}}
  links:
    - {endpoints: ["client:eth0", "router:eth0"], ipv4: [10.0.0.2/24, 10.0.0.1/24]}
    - {endpoints: ["router:ppp0", "dual:eth0"], ipv4: [22.22.22.22/24, 22.22.22.1/24]}
    - {endpoints: ["dual:eth1", lan], ipv6: "fd00::1/64", ipv4: 10.1.0.1/24}
    - {endpoints: ["six:eth0", lan], ipv6: ["fd00::6/64", "fd00::7/64"]}
    - {endpoints: ["six:eth1", lan], ipv4: 10.1.0.6/24}
    - {endpoints: ["none:eth0", lan]}
steps:
  - check: {routes: [{on: client, text: default}]}
"""


@pytest.fixture
def around(read: Read) -> Surroundings:
    topology = read(TOPOLOGY).topology
    names = frozenset(node.name for node in topology.nodes)
    return Surroundings(names, topology, "ip addr add 192.168.1.34/24 dev tun0 peer fd00::9\n")


@pytest.mark.parametrize(
    ("text", "ip", "port"),
    [
        ("192.168.1.34", "192.168.1.34", None),
        ("192.168.1.34:81", "192.168.1.34", 81),
        (":81", "None", 81),
        ("fd00::1", "fd00::1", None),
        ("::", "::", None),
        ("[fd00::1]", "fd00::1", None),
        ("[fd00::1]:80", "fd00::1", 80),
        ("client", "10.0.0.2", None),
        ("client:80", "10.0.0.2", 80),
        ("router", "10.0.0.1", None),
        ("router:ppp0", "22.22.22.22", None),
        ("router:ppp0:80", "22.22.22.22", 80),
        (" router : ", None, None),
        ("dual:eth1", "10.1.0.1", None),
        ("six:eth0", "fd00::6", None),
        ("six", "10.1.0.6", None),
    ],
)
def test_an_address_is_a_literal_or_a_node_s(
    around: Surroundings, text: str, ip: str | None, port: int | None
) -> None:
    if ip is None:
        with pytest.raises(Misfit):
            parse_pattern(text, around)
        return
    pattern = parse_pattern(text, around)
    assert (str(pattern.ip), pattern.port) == (ip, port)


def test_a_tuple_is_two_addresses(around: Surroundings) -> None:
    pattern = parse_tuple("client > [fd00::1]:80", around)
    assert str(pattern) == "client (10.0.0.2) > [fd00::1]:80"


def test_an_interface_is_one_of_the_node_s_or_its_loopback(around: Surroundings) -> None:
    assert parse_interface("router:ppp0", around) == ("router", "ppp0")
    assert parse_interface("router:lo", around) == ("router", "lo")
    assert parse_interface("router:tun0", around) == ("router", "tun0")
    with pytest.raises(Misfit, match="node 'router' has no interface 'tun'"):
        parse_interface("router:tun", around)


@pytest.mark.parametrize(
    ("word", "mentioned"),
    [
        ("192.168.1.34", True),
        ("192.168.1.3", False),
        ("92.168.1.34", False),
        ("192.168.1", False),
        ("tun0", True),
        ("tun", False),
        ("fd00::9", True),
        ("fd00::", False),
    ],
)
def test_a_script_mentions_whole_words(around: Surroundings, word: str, mentioned: bool) -> None:
    assert around.mentions(word) is mentioned


@pytest.mark.parametrize("text", ["none", "none:eth0", "lan", "lan:p1"])
def test_a_node_without_an_address_stands_for_none(around: Surroundings, text: str) -> None:
    with pytest.raises(Misfit, match="has no address in the topology"):
        parse_pattern(text, around)


def test_where_the_topology_is_wrong_names_stand_for_anything() -> None:
    unknown = Surroundings(None, None)
    assert parse_pattern("anybody:eth7:80", unknown).ip is None
    named = Surroundings(frozenset({"client"}), None)
    assert parse_pattern("client:eth7:80", named).port == 80
    with pytest.raises(Misfit, match="unknown node 'anybody'"):
        parse_pattern("anybody", named)
