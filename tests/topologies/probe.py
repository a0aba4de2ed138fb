"""A test for `mn --custom probe.py --test probe`: what every host has and whom it reaches."""

import json


def probe(net):
    """Print, as one line of JSON, each host's addresses, gateway and answers to its pings."""
    found = {}
    for host in net.hosts:
        addresses = {
            interface["ifname"]: [
                f"{address['local']}/{address['prefixlen']}"
                for address in interface["addr_info"]
                if address["family"] == "inet"
            ]
            for interface in json.loads(host.cmd("ip -j addr"))
            if interface["ifname"] != "lo"
        }
        routes = json.loads(host.cmd("ip -j route show default"))
        found[host.name] = {
            "addresses": addresses,
            "gateway": [route["gateway"] for route in routes],
        }
    for one, other, address in PINGS.get(net.topo.__class__.__name__, ()):
        answered = " 0% packet loss" in net[one].cmd(f"ping -c1 -W2 {address}")
        found[one].setdefault("reaches", {})[other] = answered
    print("PROBE", json.dumps(found))


PINGS = {
    "HomeRouter": [("server1", "server2", "192.168.1.2"), ("router", "isp", "22.22.22.1")],
    "SingleNic": [("client", "a", "192.168.1.34"), ("b", "client", "192.168.1.185")],
    "NatVm": [("host", "vm", "192.168.57.3"), ("vm", "gw", "10.0.2.2")],
}

tests = {"probe": probe}
