"""The file format of a topology: what may stand under `topology:` when it is written out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from lab.spec.document_types import Document, Many, NotYet, PerEnd, SysctlValue


class NodeDocument(Document):
    """A node: a host, a router or a switch."""

    kind: Literal["host", "router", "switch"] = Field(
        "host",
        description="A router starts with ip_forward=1; a switch is a Linux bridge in a network"
        " namespace of its own.",
    )
    sysctls: dict[str, SysctlValue] = Field(
        default_factory=dict,
        description="Kernel settings of the node, such as `net.ipv4.ip_forward: 1`; only those"
        " below `net`.",
    )
    routes: Many[str] = Field(
        (),
        description="Routes, in order: `default via GATEWAY [dev INTERFACE]`, `PREFIX via GATEWAY"
        " [dev INTERFACE]`, `PREFIX dev INTERFACE`, `blackhole PREFIX`, `unreachable PREFIX`,"
        " `prohibit PREFIX`.",
    )
    exec: Many[str] = Field(
        (),
        description="Shell lines that run in the node once the lab is up, node after node in the"
        " order of `nodes`.",
    )
    notes: Many[str] = Field(
        (),
        description="What a run must tell about the node, such as `ppp0: emulated by veth`.",
    )
    bridge_nf: bool = Field(
        False,
        alias="bridge-nf-call-iptables",
        description="Only for a switch: whether it passes the frames it forwards through iptables.",
    )
    privileged: NotYet = Field(None, description="Not yet supported.")
    services: NotYet = Field(None, description="Not yet supported.")


# `client:` alone is a host with nothing special about it.
PlainNode = Annotated[NodeDocument, BeforeValidator(lambda node: {} if node is None else node)]


class LinkDocument(Document):
    """A cable between two nodes."""

    endpoints: Annotated[Many[str], Field(min_length=2, max_length=2)] = Field(
        description="Both ends, each `NODE:INTERFACE` or `NODE`. Without an interface a host gets"
        " the first free of eth0, eth1, …, a switch of p1, p2, ….",
    )
    ipv4: PerEnd | None = Field(
        None,
        description="IPv4 addresses with their prefix lengths. One address (or a list of them)"
        " when the other end is a switch; a list of two entries, one for each end; or a mapping"
        " from an end's name to its address or addresses.",
    )
    ipv6: PerEnd | None = Field(None, description="IPv6 addresses, written as those of `ipv4`.")
    mac: PerEnd | None = Field(
        None, description="Ethernet addresses, one for an end, written as those of `ipv4`."
    )
    mtu: int | None = Field(
        None,
        ge=68,
        le=65535,
        description="The largest packet, in bytes; at least 1280 where the link has IPv6.",
    )
    pppoe: NotYet = Field(None, description="Not yet supported.")
    delay: NotYet = Field(None, description="Not yet supported.")
    jitter: NotYet = Field(None, description="Not yet supported.")
    loss: NotYet = Field(None, description="Not yet supported.")
    rate: NotYet = Field(None, description="Not yet supported.")
    duplicate: NotYet = Field(None, description="Not yet supported.")
    reorder: NotYet = Field(None, description="Not yet supported.")


class TopologyDocument(Document):
    """Nodes and the links between them."""

    nodes: Annotated[dict[str, PlainNode], Field(min_length=1)] = Field(
        description="The nodes by name."
    )
    links: Many[LinkDocument] = Field((), description="The links.")
