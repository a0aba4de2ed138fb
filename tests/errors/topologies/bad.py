"""Topologies with one mistake each."""

import os

from mininet.topo import Topo


class NotATopo:
    """Looks like a topology, but is not derived from one."""

    def build(self):
        """Build nothing."""


class Good(Topo):
    """The one without a mistake."""

    def build(self, *sizes):
        """Link two hosts."""
        self.addLink(self.addHost("h1"), self.addHost("h2"))


class Raises(Topo):
    """Raises on its way."""

    def build(self):
        """Ask for a size that is not there."""
        sizes = {}
        self.addHost(f"h{sizes['hosts']}")


class Loops(Topo):
    """Never ends."""

    def build(self):
        """Add the same host again and again."""
        while True:
            self.addHost("h1")


class NeedsArguments(Topo):
    """Cannot be built without its size."""

    def build(self, size):
        """Add hosts."""
        for number in range(size):
            self.addHost(f"h{number}")


class Exits(Topo):
    """Ends the interpreter."""

    def build(self):
        """Exit."""
        raise SystemExit(3)


class Dies(Topo):
    """Ends the process."""

    def build(self):
        """Exit at once."""
        os._exit(3)


class Recurses(Topo):
    """Calls itself."""

    def build(self):
        """Build, again."""
        self.build()


class NotPlain(Topo):
    """Has a parameter that is no data."""

    def build(self):
        """Add a host with an object."""
        self.addHost("h1", exec=[object()])


class BadKeys(Topo):
    """Has keys that no node and no link has."""

    def build(self):
        """Link two hosts."""
        h1 = self.addHost("h1", route=["default via 10.0.0.2"], cpu=0.5)
        h2 = self.addHost("h2", kind="ruoter", inNamespace=False)
        self.addLink(h1, h2, max_queue_size=10)


class NotYet(Topo):
    """Asks for a slow link."""

    def build(self):
        """Link two hosts."""
        self.addLink(self.addHost("h1"), self.addHost("h2"), bw=10, delay="5ms")


class LongNames(Topo):
    """Has a node whose interfaces get names that are too long."""

    def build(self):
        """Link two hosts."""
        self.addLink(self.addHost("workstation1"), self.addHost("h2"))


class DuplicateAddress(Topo):
    """Gives one address to two hosts."""

    def build(self):
        """Link two hosts."""
        h1 = self.addHost("h1", ip="10.0.0.1/24", defaultRoute="via 10.0.1.1")
        self.addLink(h1, self.addHost("h2", ip="10.0.0.1/24"))
