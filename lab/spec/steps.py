"""The steps of a scenario, from the way they are written to the model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from lab.model.scenario import Action, Check, Connect, Ping, Ready, Restore, Run, Serve, Step
from lab.spec.addresses import Surroundings
from lab.spec.checks import read_check
from lab.spec.context import Context, check_regex
from lab.spec.document import StepDocument, WaitDocument
from lab.spec.expectations import read_expect
from lab.spec.files import Reachable
from lab.spec.findings import Findings, Path
from lab.spec.misfit import Misfit
from lab.spec.quantities import parse_port
from lab.spec.verbs import NEED_A_NODE, VERBS, read_action

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


def read_steps(
    documents: Sequence[StepDocument | None],
    around: Surroundings,
    reachable: Reachable,
    findings: Findings,
) -> tuple[Step, ...]:
    """Turn written steps into steps.

    Args:
        documents: the steps as written; None for one whose own form is wrong.
        around: what they can name.
        reachable: the files that they may read.
        findings: where mistakes are noted, all of them.

    Returns:
        The steps that have no mistakes of their own.
    """
    steps: list[Step] = []
    backgrounds: dict[str, StepDocument] = {}
    for index, document in enumerate(documents):
        path = ("steps", index)
        if document is None:
            continue
        step = _read_step(index + 1, document, around, reachable, findings, path, backgrounds)
        if document.background is not None:
            _check_background(document, backgrounds, findings, path)
            backgrounds.setdefault(document.background, document)
        if step is not None:
            steps.append(step)
    return tuple(steps)


def _read_step(
    number: int,
    document: StepDocument,
    around: Surroundings,
    reachable: Reachable,
    findings: Findings,
    path: Path,
    backgrounds: dict[str, StepDocument],
) -> Step | None:
    context = Context(around, findings).at_node(document.on, (*path, "on"))
    verb = _verb(document, findings, path)
    if verb is None:
        return None
    if verb in NEED_A_NODE and "on" not in document.model_fields_set:
        findings.at(path, "'on' is missing", f"'{verb}' needs the node that it acts in")
    action = read_action(verb, document, context, path, reachable)
    expect = read_expect(document, verb, context, path)
    if document.check is not None:
        expect = read_check(document.check, context, (*path, "check"), backgrounds)
    _check_wait(document, verb, findings, path)
    ready = _ready(document, findings, (*path, "wait"))
    if action is None:
        return None
    return Step(
        number=number,
        name=document.name or _default_name(action, document),
        location=findings.location(path),
        verb=verb,
        action=action,
        on=document.on,
        expect=expect,
        timeout=document.timeout,
        retry=document.wait if isinstance(document.wait, float) else 0.0,
        ready=ready,
        background=document.background,
        when=_when(document),
        proves=document.proves,
    )


def _verb(document: StepDocument, findings: Findings, path: Path) -> str | None:
    """The step's only verb."""
    given = [verb for verb in VERBS if verb in document.model_fields_set]
    if not given:
        findings.at(path, "this step has no verb", f"add one of {', '.join(VERBS)}")
        return None
    for verb in given[1:]:
        findings.at_key(
            (*path, verb),
            f"a second verb: this step has '{given[0]}' already",
            "make two steps of it",
        )
    return given[0] if getattr(document, given[0]) is not None else None


def _default_name(action: Action, document: StepDocument) -> str:
    """A sentence for a step that has no name of its own."""
    match action:
        case Run(script=script):
            first = next(line.strip() for line in script.splitlines() if line.strip())
            return f"{document.on} runs {first}"
        case Serve(tcp=tcp, udp=udp):
            ports = [f"tcp/{port}" for port in tcp] + [f"udp/{port}" for port in udp]
            return f"{document.on} serves {', '.join(ports)}"
        case Connect(node=node, to=to):
            verb = "connects" if action.proto == "tcp" else "sends a datagram"
            return f"{node} {verb} to {to.text}"
        case Ping(node=node, to=to):
            return f"{node} pings {to.text}"
        case Restore():
            return f"{document.on} restores its rules"
        case Check():
            keys = ", ".join(sorted(document.check.model_fields_set)) if document.check else ""
            return f"check {keys} of {document.on}" if document.on else f"check {keys}"


def _when(document: StepDocument) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if document.when is None or document.when.iptables is None:
        return ()
    return (("iptables", document.when.iptables),)


def _check_background(
    document: StepDocument,
    backgrounds: dict[str, StepDocument],
    findings: Findings,
    path: Path,
) -> None:
    """Note what does not go with `background`."""
    here = (*path, "background")
    name = document.background or ""
    if "run" not in document.model_fields_set:
        findings.at_key(here, "'background' keeps the process of a 'run'", "this step has none")
    if not _NAME.fullmatch(name):
        hint = "letters, digits, '.', '_' and '-'"
        findings.at(here, f"'{name}' cannot be a background process's name", hint)
    if name in backgrounds and _can_meet(document, backgrounds[name]):
        findings.at(here, f"a step before this has 'background: {name}' already")
    if document.expect is not None:
        for key in ("exit", "stdout"):
            if key in document.expect.model_fields_set:
                findings.at_key(
                    (*path, "expect", key),
                    f"'{key}' says nothing about a process that goes on in the background",
                    f"look at its output later: check: {{stdout: {{of: {name}, contains: …}}}}",
                )


def _can_meet(one: StepDocument, other: StepDocument) -> bool:
    """Whether two steps can be part of one variant of the matrix."""
    own, theirs = dict(_when(one)), dict(_when(other))
    return all(set(own[key]) & set(theirs[key]) for key in own.keys() & theirs.keys())


def _check_wait(
    document: StepDocument,
    verb: str,
    findings: Findings,
    path: Path,
) -> None:
    """Note what does not go with `wait`."""
    here = (*path, "wait")
    if isinstance(document.wait, WaitDocument) and document.background is None:
        findings.at(
            here,
            "a condition is waited for only with 'background'",
            "a duration here lets what is expected take so long to become true",
        )
    if not isinstance(document.wait, float):
        return
    if document.background is not None:
        hint = "one of 'stdout', 'listening' and 'command' tells when it is ready"
        findings.at(here, "a background process is not waited for by time", hint)
    elif verb in NEED_A_NODE:
        findings.at(here, f"{verb} is done once and waits for nothing", "let a check wait for it")
    elif document.wait > document.timeout:
        findings.at(
            here,
            f"{document.wait:g} s is longer than the step's deadline of {document.timeout:g} s",
            "raise 'timeout'",
        )


def _ready(document: StepDocument, findings: Findings, path: Path) -> Ready | None:
    """When a background process counts as ready."""
    wait = document.wait
    if not isinstance(wait, WaitDocument):
        return None
    if len(wait.model_fields_set) != 1:
        findings.at(path, "expected one of 'stdout', 'listening' and 'command'")
        return None
    if wait.stdout is not None:
        findings.attempt((*path, "stdout"), check_regex, wait.stdout)
        return Ready(stdout=wait.stdout)
    if wait.listening is not None:
        listening = findings.attempt((*path, "listening"), _parse_listening, wait.listening)
        return Ready(listening=listening)
    if wait.command is not None and not wait.command.strip():
        findings.at((*path, "command"), "there is no command here")
    return Ready(command=wait.command)


def _parse_listening(text: str) -> tuple[str, int]:
    """Read ``tcp/PORT`` or ``udp/PORT``."""
    proto, _, port = text.partition("/")
    if proto not in ("tcp", "udp"):
        raise Misfit(f"expected tcp/PORT or udp/PORT, got '{text}'")
    return proto, parse_port(port)
