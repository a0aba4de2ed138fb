"""The file format of a scenario: every key of a `*.lab.yaml`, its type and what it is for.

The JSON Schema and the reference are generated from these models.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from lab.spec.document_expect import CheckDocument, ExpectDocument, Family
from lab.spec.document_topology import TopologyDocument
from lab.spec.document_types import (
    NO_TOPOLOGY,
    Document,
    Duration,
    Many,
    NotYet,
    OneOrMany,
    SchemaOfShorthand,
    shorthand,
)

IptablesBackend = Literal["nft", "legacy"]
Port = Annotated[int, Field(ge=1, le=65535)]

# The names under which pydantic tells which form of a value it looked at.
AS_TEXT = "as text"
AS_MAPPING = "as a mapping"


def _topology_form(value: object) -> str | None:
    if isinstance(value, str):
        return AS_TEXT
    return AS_MAPPING if isinstance(value, dict) else None


def _wait_form(value: object) -> str:
    return AS_MAPPING if isinstance(value, dict) else AS_TEXT


class ArticleDocument(Document):
    """Where a scenario comes from."""

    document: str = Field(description='The article\'s number, such as `"000"`.')
    section: str = Field("", description="The section's title.")
    experiments: Many[str] = Field((), description="The ids of its experiments.")


class MatrixDocument(Document):
    """The variants that a scenario runs in."""

    iptables: Annotated[OneOrMany[IptablesBackend], Field(min_length=1)] | None = Field(
        None, description="What `iptables` is in the nodes: nft, legacy or a list of both."
    )
    kernel: NotYet = Field(None, description="Not yet supported.")


class WhenDocument(Document):
    """The variants that a step is for; it is skipped in the others."""

    iptables: Annotated[OneOrMany[IptablesBackend], Field(min_length=1)] | None = Field(
        None, description="What `iptables` is in the nodes."
    )
    kernel: NotYet = Field(None, description="Not yet supported.")


class ServeDocument(Document):
    """The SO_ORIGINAL_DST test server."""

    tcp: OneOrMany[Port] = Field((), description="TCP ports, one or a list.")
    udp: OneOrMany[Port] = Field((), description="UDP ports, one or a list.")
    hold: bool = Field(False, description="Whether TCP connections stay open once answered.")


class ConnectDocument(Document):
    """A flow from a node to an address."""

    source_node: str | None = Field(
        None, alias="from", description="The node that sends; default: the step's `on`."
    )
    to: str = Field(description="Where to: `ADDRESS:PORT`.")
    proto: Literal["tcp", "udp"] = Field("tcp", description="The protocol.")
    source: str | None = Field(
        None, description="What to bind to first: `ADDRESS`, `ADDRESS:PORT` or `:PORT`."
    )
    payload: str | None = Field(
        None, description="What to send, once connected or as the datagram."
    )
    times: int = Field(1, ge=1, le=10_000, description="How many flows, one after the other.")


class PingDocument(Document):
    """ICMP echo requests from a node to an address."""

    source_node: str | None = Field(
        None, alias="from", description="The node that sends; default: the step's `on`."
    )
    to: str = Field(description="Where to: an address without a port.")
    source: str | None = Field(None, description="The address to send from.")
    count: int = Field(1, ge=1, le=10_000, description="How many requests.")


class RestoreDocument(Document):
    """iptables-restore(8) or ip6tables-restore(8); a lone text is `text`."""

    text: str | None = Field(None, description="What to restore.")
    file: str | None = Field(
        None, description="The file to restore, relative to the scenario's folder."
    )
    family: Family = Field("ipv4", description="iptables-restore or ip6tables-restore.")
    noflush: bool = Field(False, description="Whether to keep the rules that there are.")


class WaitDocument(Document):
    """When a background process counts as ready: one of these."""

    stdout: str | None = Field(
        None,
        description="A regular expression (Python's) that is found in its output; `^` and `$` fit"
        " at every line.",
    )
    listening: str | None = Field(
        None, description="A port that listens in the node, `tcp/PORT` or `udp/PORT`."
    )
    command: str | None = Field(None, description="A command that succeeds in the node.")


class StepDocument(Document):
    """One thing that a scenario does, under exactly one verb, and what it must show."""

    name: str | None = Field(None, description="A sentence; default: made of the verb.")
    on: str | None = Field(
        None, description="The node: required by run, serve and restore, a default elsewhere."
    )
    run: str | None = Field(
        None,
        description="Verb. Shell lines, run by bash with -e and pipefail: the first line that"
        " fails fails the step.",
    )
    serve: ServeDocument | None = Field(
        None, description="Verb. The test server, to the end of the scenario."
    )
    connect: ConnectDocument | None = Field(None, description="Verb. A TCP or UDP flow.")
    ping: PingDocument | None = Field(None, description="Verb. ICMP echo.")
    restore: Annotated[RestoreDocument, shorthand("text"), SchemaOfShorthand()] | None = Field(
        None, description="Verb. Rules in the form of iptables-save(8)."
    )
    check: CheckDocument | None = Field(
        None, description="Verb. Looks at what holds, without sending anything."
    )
    talk: NotYet = Field(None, description="Not yet supported.")
    dhcp: NotYet = Field(None, description="Not yet supported.")
    background: str | None = Field(
        None, description="With `run`: keeps the process to the scenario's end, under this name."
    )
    wait: (
        Annotated[
            Annotated[Duration, Tag(AS_TEXT)] | Annotated[WaitDocument, Tag(AS_MAPPING)],
            Discriminator(_wait_form),
        ]
        | None
    ) = Field(
        None,
        description="A duration: for how long what a connection, a ping or a check expects may take"
        " to become true. With `background`: when the process counts as ready.",
    )
    expect: ExpectDocument | None = Field(None, description="What the step must show.")
    timeout: Duration = Field(
        10.0, description="The step's deadline; what hangs is killed, and the step fails."
    )
    when: WhenDocument | None = Field(
        None, description="The variants of the matrix that the step is for; default: all."
    )
    proves: Many[str] = Field((), description="The ids of the experiments that the step shows.")


class ScenarioDocument(Document):
    """A scenario."""

    name: str | None = Field(
        None, description="The scenario's name; default: the file's, without `.lab.yaml`."
    )
    title: str = Field("", description="What the scenario shows, as a headline.")
    article: ArticleDocument | None = Field(None, description="Where the scenario comes from.")
    topology: Annotated[
        Annotated[str, Tag(AS_TEXT)] | Annotated[TopologyDocument, Tag(AS_MAPPING)],
        Discriminator(
            _topology_form,
            custom_error_type=NO_TOPOLOGY,
            custom_error_message="no topology",
        ),
    ] = Field(
        description="What to build: the name of a bundled topology, a Mininet class `FILE.py:CLASS`"
        " or `FILE.py:CLASS(ARGUMENTS)`, or nodes and links written out."
    )
    matrix: MatrixDocument | None = Field(
        None, description="The variants that the scenario runs in; default: both of iptables."
    )
    files: Many[str] = Field(
        (),
        description="Files and folders that steps may read besides the scenario's own folder,"
        " relative to it.",
    )
    needs: NotYet = Field(None, description="Not yet supported.")
    steps: Annotated[Many[StepDocument], Field(min_length=1)] = Field(
        description="What to do, in order."
    )
