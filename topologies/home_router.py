"""A home router between an ISP and a LAN of two servers.

    client          isp                      router                     server1
    10.10.10.10     10.10.10.1  22.22.22.1   22.22.22.22  192.168.1.3   192.168.1.1
    +--------+      +--------------------+   +----------------------+   +---------+
    |    eth0|------|eth0            eth1|---|ppp0              lan0|-+-|eth0     |
    +--------+      +--------------------+   +----------------------+ | +---------+
                                                                      |
                                                                 [lan]+ server2
                                                                      | 192.168.1.2
                                                                      | +---------+
                                                                      +-|eth0     |
                                                                        +---------+

All networks are /24. The ISP has no route to 192.168.1.0/24: what leaves the router with such a
source is never answered.
"""

from mininet.topo import Topo


class HomeRouter(Topo):
    """One public address, one LAN."""

    def build(self):
        """Add the nodes and the links between them."""
        client = self.addHost("client", ip="10.10.10.10/24", defaultRoute="via 10.10.10.1")
        isp = self.addHost("isp", kind="router", ip="10.10.10.1/24")
        router = self.addHost(
            "router",
            kind="router",
            ip="22.22.22.22/24",
            defaultRoute="via 22.22.22.1",
            notes=["ppp0: emulated by veth"],
        )
        lan = self.addSwitch("lan", dpid="0000000000000001")
        server1 = self.addHost("server1", ip="192.168.1.1/24", defaultRoute="via 192.168.1.3")
        server2 = self.addHost("server2", ip="192.168.1.2/24", defaultRoute="via 192.168.1.3")

        self.addLink(client, isp, intfName1="eth0", intfName2="eth0")
        self.addLink(
            isp, router, intfName1="eth1", intfName2="ppp0", params1={"ip": "22.22.22.1/24"}
        )
        self.addLink(router, lan, intfName1="lan0", params1={"ip": "192.168.1.3/24"})
        self.addLink(server1, lan, intfName1="eth0")
        self.addLink(server2, lan, intfName1="eth0")


topos = {"home-router": HomeRouter}
