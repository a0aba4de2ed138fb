"""A virtual machine with a NAT interface and two host-only ones, as VirtualBox makes them.

    host                              vm                              gw
    192.168.57.1   eth0 ------------- enp0s9  192.168.57.3
    192.168.56.1   eth1 ------------- enp0s8  192.168.56.3
                                      enp0s3  10.0.2.15 ------- eth0  10.0.2.2
                                                                eth1  183.3.226.1
                                                                 |
                                                          site   |
                                                          eth0 --+
                                                          183.3.226.35

All networks are /24. The gateway masquerades what comes from 10.0.2.0/24, and only that: with any
other source the site's answer finds no way back.
"""

from mininet.topo import Topo


class NatVm(Topo):
    """A host, its virtual machine, the NAT gateway and a site behind it."""

    def build(self):
        """Add the nodes and the links between them."""
        host = self.addHost("host", ip="192.168.57.1/24")
        vm = self.addHost("vm", ip="10.0.2.15/24", defaultRoute="via 10.0.2.2")
        gw = self.addHost(
            "gw",
            kind="router",
            ip="10.0.2.2/24",
            exec=["iptables -t nat -A POSTROUTING -s 10.0.2.0/24 -o eth1 -j MASQUERADE"],
        )
        site = self.addHost("site", ip="183.3.226.35/24")

        self.addLink(vm, gw, intfName1="enp0s3", intfName2="eth0")
        self.addLink(
            host, vm, intfName1="eth0", intfName2="enp0s9", params2={"ip": "192.168.57.3/24"}
        )
        self.addLink(
            host,
            vm,
            intfName1="eth1",
            intfName2="enp0s8",
            params1={"ip": "192.168.56.1/24"},
            params2={"ip": "192.168.56.3/24"},
        )
        self.addLink(gw, site, intfName1="eth1", intfName2="eth0", params1={"ip": "183.3.226.1/24"})


topos = {"nat-vm": NatVm}
