"""Three hosts with one interface each, on one network that nobody routes.

    client              a                   b
    192.168.1.185/24    192.168.1.34/24     192.168.1.32/24
    +------+            +------+            +------+
    | eth0 |            | eth0 |            | eth0 |
    +------+            +------+            +------+
       |                   |                   |
    ---+-------------------+-------------------+---  [lan]

No host has a gateway. `a` is a host, not a router: forwarding a port with its one interface takes
ip_forward and two rules.
"""

from mininet.topo import Topo


class SingleNic(Topo):
    """A client, a forwarder and a server on one switch."""

    def build(self):
        """Add the nodes and the links between them."""
        lan = self.addSwitch("lan", dpid="0000000000000001")
        client = self.addHost("client", ip="192.168.1.185/24")
        a = self.addHost("a", ip="192.168.1.34/24")
        b = self.addHost("b", ip="192.168.1.32/24")

        self.addLink(client, lan, intfName1="eth0")
        self.addLink(a, lan, intfName1="eth0")
        self.addLink(b, lan, intfName1="eth0")


topos = {"single-nic": SingleNic}
