"""A scenario: a topology, and steps that act on it and say what each must show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lab.model.address import IPAddress
from lab.model.errors import Location
from lab.model.expectation import Expectation
from lab.model.topology import Topology


class Backend(StrEnum):
    """Which kernel interface a node's iptables commands use."""

    NFT = "nft"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a flow goes: the address tried, the port (None for ping), and what the user wrote."""

    ip: IPAddress
    port: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Run:
    """``run``: shell lines in a node. ``line`` is the file's line of the script's first line."""

    script: str
    line: int


@dataclass(frozen=True, slots=True)
class Serve:
    """``serve``: the SO_ORIGINAL_DST test server in a node."""

    tcp: tuple[int, ...] = ()
    udp: tuple[int, ...] = ()
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Connect:
    """``connect``: one flow, or ``times`` of them one after the other, from a node.

    ``source_ip`` and ``source_port`` are bound before connecting when given; ``payload`` is sent
    after the connection stands (TCP) or as the datagram (UDP).
    """

    node: str
    to: Target
    proto: str = "tcp"
    source_ip: IPAddress | None = None
    source_port: int | None = None
    payload: str | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Ping:
    """``ping``: ICMP echo requests from a node, ``count`` of them."""

    node: str
    to: Target
    source_ip: IPAddress | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Restore:
    """``restore``: iptables-restore (or ip6tables-restore) of a text in a node."""

    text: str
    family: str = "ipv4"
    noflush: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """``check``: nothing is sent; what must hold stands in the step's expectations."""


Action = Run | Serve | Connect | Ping | Restore | Check


@dataclass(frozen=True, slots=True)
class Ready:
    """When a background process counts as up, and how long that may take, in seconds.

    One of the conditions is given: a regular expression seen in its output, a listening port
    (``tcp/80``) in the node's namespace, or a command that succeeds in the node.
    """

    stdout: str | None = None
    listening: tuple[str, int] | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a scenario does, with what it must show.

    ``on`` is the node of run, serve, restore and check. ``timeout`` is the deadline in seconds.
    ``retry`` is for how long, in seconds, expectations may take to become true. ``when`` lists
    the matrix values the step is for, such as ``(("iptables", "legacy"),)``.
    """

    number: int
    name: str
    location: Location
    verb: str
    action: Action
    on: str | None = None
    expect: tuple[Expectation, ...] = ()
    timeout: float = 10.0
    retry: float = 0.0
    ready: Ready | None = None
    background: str | None = None
    when: tuple[tuple[str, tuple[str, ...]], ...] = ()
    proves: tuple[str, ...] = ()

    @property
    def node(self) -> str:
        """The node of a step that acts on one; ValueError for a step that has none."""
        if self.on is None:
            raise ValueError(f"step {self.number} ({self.verb}) has no node")
        return self.on

    @property
    def changes(self) -> bool:
        """Whether the step changes the lab, so that its failure makes the rest meaningless."""
        return isinstance(self.action, Run | Serve | Restore)


@dataclass(frozen=True, slots=True)
class Article:
    """Where the scenario comes from: article number, section, and experiment ids."""

    document: str
    section: str = ""
    experiments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A topology, steps, and what each step must show.

    ``path`` is the absolute path of the file; ``files`` are further absolute paths that steps may
    read. ``backends`` is the matrix's iptables axis. ``self_contained`` tells that nothing but its
    own file and what ships with the package says what it is.
    """

    name: str
    path: str
    topology: Topology
    steps: tuple[Step, ...]
    title: str = ""
    article: Article | None = None
    backends: tuple[Backend, ...] = (Backend.NFT,)
    files: tuple[str, ...] = ()
    self_contained: bool = False
