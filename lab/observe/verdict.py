"""An expectation beside what a step saw: what does not hold, field by field."""

from __future__ import annotations

import re
import signal
from typing import assert_never

from lab.model.events import Mismatch
from lab.model.expectation import (
    ClientSaw,
    ConntrackEntry,
    ExitCodeIs,
    Expectation,
    ListeningSocket,
    Neighbour,
    OutcomeIs,
    Packets,
    Policy,
    RouteLine,
    RuleCounter,
    ServerSaw,
    SourcePort,
    Stdout,
    Sysctl,
    Text,
)
from lab.observe import flows, netfilter, sequence, tables
from lab.observe.listing import others
from lab.observe.seen import Seen


def mismatches(expected: Expectation, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare one expectation with what was seen; empty when it holds.

    Raises KeyError for a node or a key that the step did not look at though the expectation asks
    for it.
    """
    match expected:
        case OutcomeIs():
            return flows.outcome(expected, seen)
        case ServerSaw():
            return flows.server(expected, seen)
        case ClientSaw():
            return flows.client(expected, seen)
        case SourcePort():
            return flows.source_port(expected, seen)
        case ConntrackEntry():
            return netfilter.conntrack(expected, seen)
        case RuleCounter():
            return netfilter.rule_counter(expected, seen)
        case Policy():
            return netfilter.policy(expected, seen)
        case Packets():
            return sequence.packets(expected, seen)
        case RouteLine():
            return tables.route(expected, seen)
        case Neighbour():
            return tables.neighbour(expected, seen)
        case _:
            return _host_mismatches(expected, seen)


def _host_mismatches(
    expected: Sysctl | ListeningSocket | ExitCodeIs | Stdout, seen: Seen
) -> tuple[Mismatch, ...]:
    """The same for what is seen of a host rather than of its traffic."""
    match expected:
        case Sysctl():
            return _sysctl(expected, seen)
        case ListeningSocket():
            return _listening_socket(expected, seen)
        case ExitCodeIs():
            return _exit(expected, seen)
        case Stdout():
            return _stdout(expected, seen)
        case _:
            assert_never(expected)


def _sysctl(expected: Sysctl, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare a value; the kernel puts tabs between the numbers of a list, people write spaces."""
    value = seen.sysctls[expected.on, expected.key]
    if value is not None and value.split() == expected.value.split():
        return ()
    return (
        Mismatch(
            field=f"sysctls {expected.on} {expected.key}",
            expected=expected.value,
            observed="no such key" if value is None else " ".join(value.split()),
            location=str(expected.location),
        ),
    )


def _listening_socket(expected: ListeningSocket, seen: Seen) -> tuple[Mismatch, ...]:
    listeners = [
        listener for listener in seen.listeners[expected.on] if listener.proto == expected.proto
    ]
    found = [listener for listener in listeners if expected.address.matches(listener.address)]
    if bool(found) == expected.present:
        return ()
    wanted = f"{expected.proto} {expected.address}"
    if expected.present:
        observed = others(listeners, f"no {expected.proto} socket")
    else:
        wanted, observed = f"no {wanted}", str(found[0])
    return (
        Mismatch(
            field=f"sockets {expected.on}",
            expected=wanted,
            observed=observed,
            location=str(expected.location),
        ),
    )


def _exit(expected: ExitCodeIs, seen: Seen) -> tuple[Mismatch, ...]:
    fits = seen.exit != 0 if expected.code is None else seen.exit == expected.code
    if fits and seen.exit is not None:
        return ()
    return (
        Mismatch(
            field="exit",
            expected="nonzero" if expected.code is None else str(expected.code),
            observed=_exit_text(seen.exit),
            location=str(expected.location),
        ),
    )


def _exit_text(code: int | None) -> str:
    if code is None:
        return "still running"
    if code >= 0:
        return str(code)
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _stdout(expected: Stdout, seen: Seen) -> tuple[Mismatch, ...]:
    output, field = seen.stdout, "stdout"
    if expected.background is not None:
        output, field = seen.backgrounds[expected.background], f"stdout of {expected.background}"
    return tuple(
        Mismatch(
            field=field,
            expected=wanted,
            observed=_excerpt(output),
            location=str(expected.location),
        )
        for wanted in _text_differences(expected.text, output)
    )


def _text_differences(text: Text, output: str) -> list[str]:
    """What an output lacks; line breaks at its end do not count, and ^ and $ fit at every line."""
    missing = []
    if text.equals is not None and text.equals.rstrip("\n") != output.rstrip("\n"):
        missing.append(text.equals)
    if text.contains is not None and text.contains.rstrip("\n") not in output:
        missing.append(f"contains {text.contains!r}")
    if text.matches is not None and not re.search(text.matches, output, re.MULTILINE):
        missing.append(f"matches {text.matches!r}")
    return missing


def _excerpt(output: str) -> str:
    """The end of an output: its last lines, since commands tell the outcome there."""
    shown = 20
    lines = output.rstrip("\n").split("\n")
    if not output.strip():
        return "nothing"
    return "\n".join(["…", *lines[-shown:]] if len(lines) > shown else lines)
