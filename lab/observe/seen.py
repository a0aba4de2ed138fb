"""What a step saw: the record that expectations are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.kernel.listeners import Listener
from lab.kernel.rtnl_records import NeighbourEntry, RouteEntry
from lab.model.address import IPAddress, SocketAddress, Tuple
from lab.model.expectation import Outcome
from lab.observe.conntrack import Entry
from lab.observe.packets import SeenPacket
from lab.observe.rules import Ruleset


@dataclass(frozen=True, slots=True)
class ServerView:
    """The tuple that a test server saw, and what SO_ORIGINAL_DST gave it: an address or an errno.

    ``errno`` is the error's name, such as ENOENT, where ``original`` is None.
    """

    node: str
    source: SocketAddress
    dest: SocketAddress
    original: SocketAddress | None = None
    errno: str = ""


@dataclass(frozen=True, slots=True)
class FlowSeen:
    """One flow as its sender saw it.

    ``icmp`` is the name (lab.observe.icmp) of the error that came back and ``sender`` who sent
    it. ``evidence`` says how a no-answer is known, ``detail`` is the error in the system's words.
    ``source`` is the address that the sender's socket had, ``answer`` the tuple of the answer as
    that socket saw it, ``server`` what the test server saw if it was one that answered.
    """

    outcome: Outcome
    icmp: str = ""
    sender: IPAddress | None = None
    evidence: str = ""
    detail: str = ""
    source: SocketAddress | None = None
    answer: Tuple | None = None
    server: ServerView | None = None

    def __str__(self) -> str:
        because = self.icmp or self.evidence or self.detail
        text = f"{self.outcome} ({because})" if because else str(self.outcome)
        return f"{text} from {self.sender}" if self.sender else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that a step looked at; what no expectation of the step asks for may stay empty.

    Mappings go by node; those of rules by node and family (ipv4, ipv6), ``sysctls`` by node and
    key, with None for a key that the kernel does not have. ``rules_before`` are from the step's
    beginning. ``packets`` are those of the whole step, in any order; ``lost`` counts packets
    that passed a place (``node:interface``) and could not be kept. ``backgrounds`` holds the
    output so far of each background process by its name.
    """

    flows: tuple[FlowSeen, ...] = ()
    conntrack: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    packets: tuple[SeenPacket, ...] = ()
    lost: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[tuple[str, str], Ruleset] = field(default_factory=dict)
    rules_before: Mapping[tuple[str, str], Ruleset] = field(default_factory=dict)
    routes: Mapping[str, tuple[RouteEntry, ...]] = field(default_factory=dict)
    neighbours: Mapping[str, tuple[NeighbourEntry, ...]] = field(default_factory=dict)
    sysctls: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    listeners: Mapping[str, tuple[Listener, ...]] = field(default_factory=dict)
    exit: int | None = None
    stdout: str = ""
    backgrounds: Mapping[str, str] = field(default_factory=dict)
