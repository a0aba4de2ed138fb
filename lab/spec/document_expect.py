"""The file format of what a step must show: what may stand under `expect:` and `check:`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lab.spec.document_types import (
    CountField,
    Document,
    ExitCode,
    Many,
    NotYet,
    OneOrMany,
    SchemaOfShorthand,
    SysctlValue,
    refuse_words,
    shorthand,
)

Family = Literal["ipv4", "ipv6"]
Table = Literal["filter", "nat", "mangle", "raw", "security"]
OutcomeWord = Annotated[
    Literal["connected", "answered", "refused", "unreachable", "reset", "no-answer"],
    refuse_words("dropped", "unanswered"),
]


class TextDocument(Document):
    """What an output must be; a lone text is `contains`."""

    equals: str | None = Field(None, description="The whole output, but for the last line's end.")
    contains: str | None = Field(None, description="A part of the output.")
    matches: str | None = Field(
        None,
        description="A regular expression (Python's) that is found in the output; `^` and `$` fit"
        " at every line.",
    )


class StdoutDocument(TextDocument):
    """What a background process must have printed so far."""

    of: str = Field(description="The `background` name of the process.")


class ServerDocument(Document):
    """What the test server must have seen."""

    node: str | None = Field(None, description="The node whose server answered.")
    source: str | None = Field(None, description="The client's address, as the server saw it.")
    dest: str | None = Field(None, description="The server's own address, as it saw it.")
    original: str | None = Field(
        None,
        description="The original destination (SO_ORIGINAL_DST), or the name of the error that"
        " asking for it must give, such as ENOENT.",
    )


class ClientDocument(Document):
    """What the client must have seen: the tuple of the answer."""

    source: str | None = Field(None, description="Where the answer came from.")
    dest: str | None = Field(None, description="Where the answer went: the client's own address.")


class ConntrackDocument(Document):
    """Entries of a node's connection tracking table."""

    on: str | None = Field(None, description="The node; default: the step's `on`.")
    proto: str | None = Field(
        None, description="The protocol, such as tcp, udp, icmp; default: any."
    )
    original: str | None = Field(
        None, description="The tuple of the original direction, `SOURCE > DEST`."
    )
    reply: str | None = Field(None, description="The tuple of the reply direction.")
    state: str | None = Field(None, description="The state of a TCP entry, such as ESTABLISHED.")
    status: OneOrMany[Literal["ASSURED", "UNREPLIED"]] = Field(
        (), description="What the entry must be marked with."
    )
    count: CountField | None = Field(
        None, description="How many entries fit all of this; default: at least 1."
    )
    none: bool = Field(False, description="That no entry fits: the same as `count: 0`.")


class PacketDocument(Document):
    """A packet at an interface."""

    at: str = Field(description="The interface, `NODE:INTERFACE`.")
    tcp: str | None = Field(None, description="A TCP packet's tuple, `SOURCE > DEST`.")
    udp: str | None = Field(None, description="A UDP packet's tuple.")
    icmp: str | None = Field(None, description="An ICMP packet's tuple, addresses alone.")
    flags: str | None = Field(
        None,
        description="TCP flags, each by its letter, in any order: F fin, S syn, R rst, P psh, A"
        " ack, U urg, E ece, W cwr.",
    )
    ttl: int | None = Field(None, ge=1, le=255, description="The packet's TTL or hop limit.")
    seen: bool = Field(True, description="Whether the packet must be seen or must not.")


class RulesDocument(Document):
    """A rule of a chain, its counters and its text, or how many rules the chain has."""

    on: str | None = Field(None, description="The node; default: the step's `on`.")
    table: Table = Field("filter", description="The table.")
    chain: str = Field(description="The chain.")
    rule: int | None = Field(None, ge=1, description="The rule by its number, from 1.")
    packets: CountField | None = Field(
        None, description="The rule's packet counter, as `iptables -vL` shows it."
    )
    hits: CountField | None = Field(
        None, description="By how much the rule's packet counter grew in this step."
    )
    text: str | None = Field(None, description="A part of the rule as `iptables -S` prints it.")
    count: CountField | None = Field(None, description="How many rules the chain has.")
    family: Family = Field("ipv4", description="iptables or ip6tables.")


class LineDocument(Document):
    """A line that a listing must have, or must not; a lone text is `text`."""

    text: str = Field(description="The line; every word of it must be there.")
    on: str | None = Field(None, description="The node; default: the step's `on`.")
    present: bool = Field(True, description="Whether the line must be there or must not.")


Line = Annotated[LineDocument, shorthand("text"), SchemaOfShorthand()]


class ExpectDocument(Document):
    """What a step must show."""

    outcome: OutcomeWord | None = Field(
        None,
        description="What became of the flow, as its sender sees it. Without it a TCP connection"
        " must be connected, a datagram or a ping answered.",
    )
    icmp: str | None = Field(
        None,
        description="With `outcome: unreachable`: the name of the ICMP error that said so, such as"
        " host-unreachable.",
    )
    server: ServerDocument | None = Field(None, description="What the test server saw.")
    client: ClientDocument | None = Field(None, description="What the client saw.")
    source_port: Literal["kept", "rewritten", "distinct"] | None = Field(
        None,
        description="What became of the client's port on the way: the server saw the same, or"
        " another, or (distinct) a different one for each of the `times` connections.",
    )
    conntrack: OneOrMany[ConntrackDocument] = Field(
        (), description="Connection tracking entries, one or a list."
    )
    packets: Many[PacketDocument] = Field(
        (), description="Packets of the step's flow, in this order."
    )
    rules: OneOrMany[RulesDocument] = Field((), description="Rules, one or a list.")
    exit: ExitCode = Field(
        None,
        description="The exit code of `run`, or `nonzero` for any but 0. Without it, any but 0"
        " fails the step.",
    )
    stdout: Annotated[TextDocument, shorthand("contains"), SchemaOfShorthand()] | None = Field(
        None, description="What `run` printed."
    )
    by: NotYet = Field(None, description="Not yet supported.")
    path: NotYet = Field(None, description="Not yet supported.")
    rewrites: NotYet = Field(None, description="Not yet supported.")


class CheckDocument(Document):
    """What must hold, looked at without sending anything."""

    conntrack: OneOrMany[ConntrackDocument] = Field(
        (), description="Connection tracking entries, one or a list."
    )
    rules: OneOrMany[RulesDocument] = Field((), description="Rules, one or a list.")
    policies: dict[str, str] = Field(
        default_factory=dict,
        description="Policies of built-in chains, such as `filter/INPUT: DROP`.",
    )
    routes: Many[Line] = Field(
        (), description="Routes of the main table, written as `ip route` prints them."
    )
    neighbours: Many[Line] = Field(
        (), description="Neighbour entries, written as `ip neigh` prints them, address first."
    )
    sysctls: dict[str, SysctlValue] = Field(
        default_factory=dict, description="Kernel settings and their values."
    )
    sockets: Many[Line] = Field(
        (), description="Listening TCP and bound UDP sockets, such as `tcp 0.0.0.0:80`."
    )
    stdout: OneOrMany[StdoutDocument] = Field(
        (), description="What background processes have printed so far, one or a list."
    )
