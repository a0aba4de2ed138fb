"""Looking at the kernel's tables in the nodes, as far as a step's expectations ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from lab.kernel import netlink, sysctl
from lab.kernel.listeners import listeners
from lab.kernel.rtnl_records import NeighbourEntry, RouteEntry
from lab.model.errors import Missing
from lab.model.expectation import (
    ConntrackEntry,
    ListeningSocket,
    Neighbour,
    Policy,
    RouteLine,
    RuleCounter,
    Sysctl,
)
from lab.model.scenario import Step
from lab.observe.conntrack import Entry, entries
from lab.observe.rules import Ruleset, ruleset
from lab.observe.seen import Seen
from lab.steps import command
from lab.steps.deadline import Deadline
from lab.steps.failure import StepFailed
from lab.steps.stage import Stage

Rules = dict[tuple[str, str], Ruleset]
T = TypeVar("T")


def look(step: Step, stage: Stage, deadline: Deadline) -> Seen:
    """Read every table that an expectation of the step asks for, each once."""
    expected = step.expect
    return Seen(
        conntrack=_each_node(
            stage, (e.on for e in expected if isinstance(e, ConntrackEntry)), _conntrack
        ),
        rules=rules_of(step, stage, deadline),
        routes=_each_node(stage, (e.on for e in expected if isinstance(e, RouteLine)), _routes),
        neighbours=_each_node(
            stage, (e.on for e in expected if isinstance(e, Neighbour)), _neighbours
        ),
        listeners=_each_node(
            stage, (e.on for e in expected if isinstance(e, ListeningSocket)), listeners
        ),
        sysctls=_sysctls(step, stage),
        backgrounds={name: each.output for name, each in stage.backgrounds.items()},
    )


def rules_before(step: Step, stage: Stage, deadline: Deadline) -> Rules:
    """Read the rules before the step's traffic, if an expectation counts what it adds."""
    counts = any(isinstance(e, RuleCounter) and e.hits is not None for e in step.expect)
    return rules_of(step, stage, deadline) if counts else {}


def rules_of(step: Step, stage: Stage, deadline: Deadline) -> Rules:
    """Read the rule sets that expectations name, by node and family."""
    tables: dict[tuple[str, str], set[str]] = {}
    for each in step.expect:
        if isinstance(each, RuleCounter | Policy):
            tables.setdefault((each.on, each.family), set()).add(each.table)
    return {
        (node, family): _saved(node, family, sorted(names), stage, deadline)
        for (node, family), names in tables.items()
    }


def _saved(node: str, family: str, tables: list[str], stage: Stage, deadline: Deadline) -> Ruleset:
    """Read tables by iptables-save, which alone knows how a rule is written."""
    tool = "ip6tables-save" if family == "ipv6" else "iptables-save"
    text = ""
    for table in tables:
        ended = command.run(stage.lab, node, [tool, "-c", "-t", table], deadline)
        if ended.code:
            raise StepFailed(f"{node}: {tool} -t {table}: {ended.stderr.strip()}")
        text += ended.stdout
    return ruleset(text)


def _each_node(stage: Stage, nodes: Iterable[str], read: Callable[[], T]) -> dict[str, T]:
    """Call ``read`` in the network namespace of each node."""
    found: dict[str, T] = {}
    for node in nodes:
        if node not in found:
            with stage.lab.network_of(node):
                found[node] = read()
    return found


def _conntrack() -> tuple[Entry, ...]:
    try:
        text = Path("/proc/thread-self/net/nf_conntrack").read_text()
    except FileNotFoundError as error:
        raise Missing(
            "connection tracking (/proc/net/nf_conntrack)",
            "a step looks at a node's entries",
            "sudo modprobe nf_conntrack",
        ) from error
    return entries(text)


def _routes() -> tuple[RouteEntry, ...]:
    from lab.kernel import rtnl_dump

    with netlink.route_socket() as channel:
        return rtnl_dump.routes(channel)


def _neighbours() -> tuple[NeighbourEntry, ...]:
    from lab.kernel import rtnl_dump

    with netlink.route_socket() as channel:
        return rtnl_dump.neighbours(channel)


def _sysctls(step: Step, stage: Stage) -> dict[tuple[str, str], str | None]:
    found: dict[tuple[str, str], str | None] = {}
    for each in step.expect:
        if isinstance(each, Sysctl):
            with stage.lab.network_of(each.on):
                found[each.on, each.key] = _sysctl(each.key)
    return found


def _sysctl(key: str) -> str | None:
    try:
        return sysctl.read(key)
    except FileNotFoundError:
        return None
