"""What a step must show, one frozen type for each thing that can be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lab.model.address import AddressPattern, Count, TuplePattern
from lab.model.errors import Location


class Outcome(StrEnum):
    """The sender's view of a flow."""

    CONNECTED = "connected"
    ANSWERED = "answered"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    RESET = "reset"
    NO_ANSWER = "no-answer"


AT_LEAST_ONE = Count(1, None)


@dataclass(frozen=True, slots=True)
class Text:
    """What an output must be: exactly equal, containing, or matching a regular expression."""

    equals: str | None = None
    contains: str | None = None
    matches: str | None = None


@dataclass(frozen=True, slots=True)
class OutcomeIs:
    """``outcome`` (and ``icmp``: the ICMP code's name that made a host unreachable)."""

    location: Location
    outcome: Outcome
    icmp: str | None = None


@dataclass(frozen=True, slots=True)
class ServerSaw:
    """``server``: the tuple that the test server saw, and the original destination it recovered.

    ``errno`` is the name of the error that SO_ORIGINAL_DST must give instead, such as ENOENT.
    """

    location: Location
    node: str | None = None
    source: AddressPattern | None = None
    dest: AddressPattern | None = None
    original: AddressPattern | None = None
    errno: str | None = None


@dataclass(frozen=True, slots=True)
class ClientSaw:
    """``client``: the tuple of the answer as the client's socket saw it."""

    location: Location
    source: AddressPattern | None = None
    dest: AddressPattern | None = None


@dataclass(frozen=True, slots=True)
class SourcePort:
    """``source_port``: what became of the client's port on the way to the server.

    ``kept`` and ``rewritten`` compare the client's own port with the one the server saw;
    ``distinct`` wants a different ephemeral port for each of the ``times`` connections.
    """

    location: Location
    rule: str


@dataclass(frozen=True, slots=True)
class ConntrackEntry:
    """``conntrack``: entries of a node's table that fit all that is given, ``count`` of them."""

    location: Location
    on: str
    proto: str | None = None
    original: TuplePattern | None = None
    reply: TuplePattern | None = None
    state: str | None = None
    status: tuple[str, ...] = ()
    count: Count = AT_LEAST_ONE


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet seen at an interface; ``flags`` are TCP flags such as ``SA``, ``ttl`` in hops.

    ``seen`` False wants that no such packet passed.
    """

    location: Location
    node: str
    interface: str
    proto: str
    tuple: TuplePattern
    flags: str | None = None
    ttl: int | None = None
    seen: bool = True


@dataclass(frozen=True, slots=True)
class Packets:
    """``packets``: packets of the step's flow, in this order."""

    location: Location
    packets: tuple[Packet, ...]


@dataclass(frozen=True, slots=True)
class RuleCounter:
    """``rules``: a rule of a chain (by its number from 1), its counter and its text.

    ``packets`` is the counter as ``iptables -vL`` shows it, ``hits`` how far it grew in the step,
    ``text`` a part of the rule as ``iptables -S`` prints it, ``count`` the chain's number of
    rules.
    """

    location: Location
    on: str
    table: str
    chain: str
    rule: int | None = None
    packets: Count | None = None
    hits: Count | None = None
    text: str | None = None
    count: Count | None = None
    family: str = "ipv4"


@dataclass(frozen=True, slots=True)
class Policy:
    """``policies``: the policy of a built-in chain."""

    location: Location
    on: str
    table: str
    chain: str
    policy: str
    family: str = "ipv4"


@dataclass(frozen=True, slots=True)
class RouteLine:
    """``routes``: a route that must (or, ``present`` False, must not) be in the main table.

    ``text`` is written as ``ip route`` prints it; every word of it must be there.
    """

    location: Location
    on: str
    text: str
    present: bool = True


@dataclass(frozen=True, slots=True)
class Neighbour:
    """``neighbours``: a neighbour entry, by address, with the words that it must carry."""

    location: Location
    on: str
    text: str
    present: bool = True


@dataclass(frozen=True, slots=True)
class Sysctl:
    """``sysctls``: the value of a kernel setting in the node."""

    location: Location
    on: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class ListeningSocket:
    """``sockets``: a listening TCP or bound UDP socket of the node, such as ``tcp 0.0.0.0:80``."""

    location: Location
    on: str
    proto: str
    address: AddressPattern
    present: bool = True


@dataclass(frozen=True, slots=True)
class ExitCodeIs:
    """``exit``: the exit code of ``run``; None wants any but 0."""

    location: Location
    code: int | None


@dataclass(frozen=True, slots=True)
class Stdout:
    """``stdout``: what ``run`` printed, or what a background process has printed so far."""

    location: Location
    text: Text
    background: str | None = None


Expectation = (
    OutcomeIs
    | ServerSaw
    | ClientSaw
    | SourcePort
    | ConntrackEntry
    | Packets
    | RuleCounter
    | Policy
    | RouteLine
    | Neighbour
    | Sysctl
    | ListeningSocket
    | ExitCodeIs
    | Stdout
)
