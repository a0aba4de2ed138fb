"""What a step does: each verb from the way it is written to the model."""

from __future__ import annotations

from typing import Final

from lab.model.address import IPAddress
from lab.model.scenario import Action, Check, Connect, Ping, Restore, Run, Serve
from lab.spec.addresses import check_node, parse_pattern, parse_target
from lab.spec.context import Context
from lab.spec.document import (
    ConnectDocument,
    PingDocument,
    RestoreDocument,
    ServeDocument,
    StepDocument,
)
from lab.spec.files import Reachable, read_text
from lab.spec.findings import Path
from lab.spec.misfit import Misfit

VERBS: Final = ("run", "serve", "connect", "ping", "restore", "check")
# In the format already, and refused.
VERBS_TO_COME: Final = ("talk", "dhcp")
# These act in the step's own node and cannot do without it.
NEED_A_NODE: Final = ("run", "serve", "restore")


def read_action(
    verb: str, step: StepDocument, context: Context, path: Path, reachable: Reachable
) -> Action | None:
    """Turn a step's verb into an action.

    Args:
        verb: the verb, one of VERBS.
        step: the step as written.
        context: what it can name.
        path: the path of the step.
        reachable: the files that the scenario may read.

    Returns:
        The action, or None where it has a mistake that leaves nothing to do.
    """
    here = (*path, verb)
    if step.run is not None:
        return _run(step.run, context, here)
    if step.serve is not None:
        return _serve(step.serve, context, here)
    if step.connect is not None:
        return _connect(step.connect, context, here)
    if step.ping is not None:
        return _ping(step.ping, context, here)
    if step.restore is not None:
        return _restore(step.restore, context, here, reachable)
    return Check()


def _run(script: str, context: Context, path: Path) -> Run | None:
    if not script.strip():
        context.findings.at(path, "there is no command here")
        return None
    return Run(script, context.findings.script_location(path).line)


def _serve(document: ServeDocument, context: Context, path: Path) -> Serve | None:
    if not document.tcp and not document.udp:
        context.findings.at(path, "there is no port to serve", "add 'tcp' or 'udp'")
        return None
    for key, ports in (("tcp", document.tcp), ("udp", document.udp)):
        for index, port in enumerate(ports):
            if port in ports[:index]:
                context.findings.at((*path, key, index), f"port {port} is here twice")
    if document.hold and not document.tcp:
        context.findings.at_key((*path, "hold"), "only TCP connections can be held")
    return Serve(document.tcp, document.udp, document.hold)


def _source_node(name: str | None, context: Context, path: Path) -> str | None:
    """The node that a flow comes from: `from`, or the step's `on`."""
    findings = context.findings
    if name is None:
        if context.on is None:
            findings.at(path, "'from' is missing", "name the node that sends")
        return context.on
    if context.on is not None and context.on != name:
        findings.at((*path, "from"), f"'from: {name}' and 'on: {context.on}' contradict each other")
    return findings.attempt((*path, "from"), check_node, name, context.around)


def _connect(document: ConnectDocument, context: Context, path: Path) -> Connect | None:
    findings = context.findings
    node = _source_node(document.source_node, context, path)
    target = findings.attempt(
        (*path, "to"), parse_target, document.to, context.around, with_port=True
    )
    source_ip, source_port = None, None
    if document.source is not None and node is not None:
        source = findings.attempt((*path, "source"), _parse_source, document.source, node, context)
        source_ip, source_port = source or (None, None)
    if source_port is not None and document.times > 1:
        findings.at(
            (*path, "times"),
            f"one port cannot be bound {document.times} times in a row",
            "leave the port out of 'source'",
        )
    if node is None or target is None:
        return None
    findings.attempt((*path, "source"), _check_family, source_ip, target.ip)
    return Connect(
        node, target, document.proto, source_ip, source_port, document.payload, document.times
    )


def _ping(document: PingDocument, context: Context, path: Path) -> Ping | None:
    findings = context.findings
    node = _source_node(document.source_node, context, path)
    target = findings.attempt(
        (*path, "to"), parse_target, document.to, context.around, with_port=False
    )
    source_ip = None
    if document.source is not None and node is not None:
        source = findings.attempt((*path, "source"), _parse_source, document.source, node, context)
        source_ip, port = source or (None, None)
        if port is not None:
            findings.at((*path, "source"), "ICMP has no ports", "leave it out")
    if node is None or target is None:
        return None
    findings.attempt((*path, "source"), _check_family, source_ip, target.ip)
    return Ping(node, target, source_ip, document.count)


def _parse_source(text: str, node: str, context: Context) -> tuple[IPAddress | None, int | None]:
    """Read what a socket of a node is bound to; an address must be the node's or come to be."""
    around = context.around
    pattern = parse_pattern(text, around)
    if pattern.ip is None or around.topology is None or node not in (around.nodes or ()):
        return pattern.ip, pattern.port
    own = around.topology.addresses(node)
    if pattern.ip in own or pattern.ip.is_loopback or around.mentions(str(pattern.ip)):
        return pattern.ip, pattern.port
    listed = ", ".join(str(ip) for ip in own)
    raise Misfit(
        f"address {pattern.ip} is on no interface of '{node}', and nothing adds it",
        f"addresses of {node}: {listed}" if listed else f"{node} has no addresses",
    )


def _check_family(source: IPAddress | None, target: IPAddress) -> None:
    if source is not None and source.version != target.version:
        raise Misfit(f"{source} and {target} are not of one IP version")


def _restore(
    document: RestoreDocument, context: Context, path: Path, reachable: Reachable
) -> Restore | None:
    if (document.text is None) is (document.file is None):
        context.findings.at(path, "rules come from one of 'text' and 'file'")
        return None
    text = document.text
    if document.file is not None:
        text = context.findings.attempt((*path, "file"), _read_file, document.file, reachable)
    if text is None:
        return None
    return Restore(text, document.family, document.noflush)


def _read_file(file: str, reachable: Reachable) -> str:
    return read_text(reachable.find(file))
