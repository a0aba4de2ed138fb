"""The plan as a shell script: what it says, and that it makes the network that lab makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lab.kernel.mounts import make_private, tmpfs
from lab.kernel.namespaces import Namespace, unshare
from lab.model.topology import Topology
from lab.plan.planner import plan
from lab.plan.shell import script
from lab.sandbox.network import Network
from tests.kernel.own_network import own_network, run
from tests.plan.topologies import link, node, route, topology

PATIENCE = 30.0  # seconds
HOME = topology(
    node("client", "host", route("0.0.0.0/0", via="10.10.10.1")),
    node("router", "router", route("blackhole 10.66.0.0/16")),
    node("lan", "switch"),
    node("server", "host", sysctls=(("net.ipv4.conf.eth0.rp_filter", "1"),)),
    link("client:eth0 10.10.10.10/24", "router:ppp0 10.10.10.1/24", mtu=1492),
    link("router:lan0 192.168.1.1/24 fd00::1/64", "lan:p1"),
    link("server:eth0 192.168.1.2/24 mac=02:aa:00:00:00:02", "lan:p2"),
)
GOLDEN = """\
#!/bin/sh
set -e
ip netns add client
ip netns add router
ip netns add lan
ip netns add server
ip netns exec router sysctl -qw net.ipv6.conf.default.accept_dad=0
ip netns exec router sysctl -qw net.ipv4.ip_forward=1
ip netns exec router sysctl -qw net.ipv6.conf.all.forwarding=1
ip netns exec router sysctl -qw net.ipv6.conf.default.forwarding=0
ip netns exec lan sysctl -qw net.bridge.bridge-nf-call-iptables=0
ip netns exec lan sysctl -qw net.bridge.bridge-nf-call-ip6tables=0
ip netns exec lan sysctl -qw net.bridge.bridge-nf-call-arptables=0
ip -n lan link set lo up
ip -n lan link add br0 address 02:00:00:03:00:02 up type bridge mcast_snooping 0
ip -n lan link set br0 addrgenmode none
ip -n client link set lo up
ip -n client link add eth0 address 02:00:00:01:00:02 mtu 1492 type veth \
peer name ppp0 address 02:00:00:02:00:02 mtu 1492 netns router
ip -n client link set eth0 up
ip -n client link set eth0 addrgenmode none
ip -n client address add 10.10.10.10/24 dev eth0
ip -n client route add default via 10.10.10.1
ip -n router link set lo up
ip -n router link set ppp0 addrgenmode none
ip -n router link set ppp0 up
ip -n router address add 10.10.10.1/24 dev ppp0
ip -n router link add lan0 address 02:00:00:02:00:03 type veth \
peer name p1 address 02:00:00:03:00:03 netns lan
ip -n router link set lan0 up
ip -n router address add 192.168.1.1/24 dev lan0
ip -n router address add fd00::1/64 dev lan0 nodad
ip -n router route add blackhole 10.66.0.0/16
ip -n server link set lo up
ip -n server link add eth0 address 02:aa:00:00:00:02 type veth \
peer name p2 address 02:00:00:03:00:04 netns lan
ip -n server link set eth0 up
ip -n server link set eth0 addrgenmode none
ip -n server address add 192.168.1.2/24 dev eth0
ip -n lan link set p1 addrgenmode none
ip -n lan link set p1 up master br0
ip -n lan link set p2 addrgenmode none
ip -n lan link set p2 up master br0
ip netns exec router sysctl -qw net.ipv6.conf.lan0.forwarding=1
ip netns exec server sysctl -qw net.ipv4.conf.eth0.rp_filter=1
"""
ROUTES = topology(
    node(
        "a",
        "host",
        route("0.0.0.0/0", via="10.0.0.2"),
        route("10.1.0.0/16", dev="eth0"),
        route("10.2.0.0/16", via="10.0.0.2", dev="eth0"),
        route("10.3.0.0/16", dev="lo"),
        route("blackhole 10.4.0.0/16"),
        route("unreachable 10.5.0.0/16"),
        route("prohibit 10.6.0.1/32"),
        route("fd01::/64", via="fd00::2"),
        route("fd02::/64", dev="eth0"),
        route("blackhole ::/0"),
        route("unreachable fd04::/64"),
        route("prohibit fd05::1/128"),
    ),
    node("b"),
    link("a:eth0 10.0.0.1/24 10.0.0.77/32 fd00::1/64", "b:eth0 10.0.0.2/24 fd00::2/64"),
)
SWITCHES = topology(
    node("s1", "switch"),
    node("s2", "switch", bridge_nf=True),
    node("a"),
    node("b"),
    link("s1:p1", "s2:p1", mtu=1400),
    link("a:eth0 10.0.0.1/24", "s1:p2"),
    link("s2:p2", "b:eth0 10.0.0.2/24"),
)
DEFAULT_IPV6 = topology(
    node("a", "host", route("::/0", via="fd00::2"), route("0.0.0.0/0", dev="eth0")),
    node("b"),
    link("a:eth0 fd00::1/64", "b:eth0 fd00::2/64"),
)
ODD_NAMES = topology(
    node("a", "host", route("10.9.0.0/16", dev="$(id)&;#'")),
    node("b-2.c"),
    link("a:$(id)&;#' 10.0.0.1/24", "b-2.c:eth0.100 10.0.0.2/24"),
)


def test_the_script_is_what_one_would_type() -> None:
    assert script(plan(HOME)) == GOLDEN


def test_the_script_is_clean_to_shellcheck() -> None:
    folders = (os.path.dirname(sys.executable), os.environ["PATH"])
    shellcheck = shutil.which("shellcheck", path=":".join(folders))
    if shellcheck is None:
        pytest.skip("no shellcheck here")
    text = script(plan(HOME)) + script(plan(ODD_NAMES)).replace("#!/bin/sh\n", "")
    done = subprocess.run(
        [shellcheck, "--severity=warning", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""


Look = Callable[[str, str], Any]
"""Runs an ip(8) command in a node and returns its JSON."""


def network(look: Look, node: str) -> Mapping[str, object]:
    """What tells one network from another: not the numbers that the kernel chose."""
    links = {
        shown["ifname"]: {
            "flags": sorted(shown["flags"]),
            "mtu": shown["mtu"],
            "address": shown["address"],
            "master": shown.get("master"),
            "kind": shown.get("linkinfo", {}).get("info_kind"),
            "snooping": shown.get("linkinfo", {}).get("info_data", {}).get("mcast_snooping"),
            "ipv6": shown.get("inet6_addr_gen_mode"),
        }
        for shown in look(node, "ip -d -j link")
    }
    addresses = sorted(
        (shown["ifname"], given["local"], given["prefixlen"], given["scope"])
        for shown in look(node, "ip -j address")
        for given in shown["addr_info"]
    )
    routes = [
        sorted(str(sorted(entry.items())) for entry in look(node, f"ip -{version} -j route"))
        for version in (4, 6)
    ]
    return {"links": links, "addresses": addresses, "routes": routes}


def look_by_name(name: str, command: str) -> Any:
    return json.loads(run(command.replace("ip ", f"ip -n {name} ", 1)))


def look_into(built: Network) -> Look:
    def look(name: str, command: str) -> Any:
        with built.inside(name):
            return json.loads(run(command))

    return look


@own_network
@pytest.mark.parametrize(
    "given",
    [HOME, ROUTES, SWITCHES, DEFAULT_IPV6, ODD_NAMES],
    ids=["home", "routes", "switches", "default-ipv6", "odd-names"],
)
def test_the_script_makes_the_network_that_lab_makes(given: Topology) -> None:
    unshare(Namespace.MOUNT)
    make_private("/")
    tmpfs("/run", "1m")
    os.mkdir("/run/netns")
    run(script(plan(given)))
    built = Network()
    built.build(plan(given))
    end = time.monotonic() + PATIENCE
    for each in given.nodes:
        # a link's carrier and an address's readiness come a moment after it was set up
        while (typed := network(look_by_name, each.name)) != (
            ours := network(look_into(built), each.name)
        ):
            if time.monotonic() > end:
                assert typed == ours
            time.sleep(0.01)
    built.close()
