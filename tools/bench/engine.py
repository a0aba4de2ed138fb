"""lab's own way of making a star of hosts."""

from __future__ import annotations

import subprocess
import time
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lab.model.errors import Broken
from lab.model.topology import Interface, Kind, Link, Node, Route, Topology
from lab.plan.planner import plan
from lab.sandbox.network import Network

# The network of star_floor.c, name for name and address for address.
GATEWAY = IPv4Address("10.0.0.1")
FIRST_ADDRESS = IPv4Address("10.0.0.2")
PREFIX_LENGTH = 8
_DEFAULT = (Route(IPv4Network("0.0.0.0/0"), via=GATEWAY),)


def address_of(host: int) -> IPv4Address:
    """Return the address of a host of either contender's star; hosts count from 1."""
    return FIRST_ADDRESS + (host - 1)


def star(hosts: int) -> Topology:
    """Describe a star: a switch, and hosts on it with an address and a default route each."""
    return Topology(
        "star",
        nodes=(
            Node("switch", Kind.SWITCH),
            *(Node(f"h{host}", routes=_DEFAULT) for host in range(1, hosts + 1)),
        ),
        links=tuple(_link(host) for host in range(1, hosts + 1)),
    )


def _link(host: int) -> Link:
    address = IPv4Interface((address_of(host), PREFIX_LENGTH))
    return Link(Interface(f"h{host}", "eth0", (address,)), Interface("switch", f"p{host}"))


def time_engine(topology: Topology) -> dict[str, float]:
    """Make a topology and drop it; return the seconds that each took.

    ``setup_s`` is from the topology to the network that stands, ``plan_s`` the part of it that was
    planning, ``build_s`` the rest. Raises Broken if the kernel refuses anything.
    """
    started = time.perf_counter()
    steps = plan(topology)
    planned = time.perf_counter()
    network = Network()
    network.build(steps)
    built = time.perf_counter()
    network.close()
    closed = time.perf_counter()
    return {
        "setup_s": built - started,
        "plan_s": planned - started,
        "build_s": built - planned,
        "teardown_s": closed - built,
    }


def run_in_engine(topology: Topology, number: int, command: str, output: int) -> None:
    """Make a topology and have sh(1) run ``command`` in its node ``number``, counted from 0.

    What the command writes goes to the descriptor ``output``. Raises Broken if it fails.
    """
    network = Network()
    network.build(plan(topology))
    with network.inside(topology.nodes[number].name):
        done = subprocess.run(command, shell=True, stdout=output)
    network.close()
    if done.returncode != 0:
        raise Broken(f"{command} failed with exit code {done.returncode}")
