"""Expected outcomes and tuples beside the flows that a step sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from lab.model.address import AddressPattern, SocketAddress
from lab.model.events import Mismatch
from lab.model.expectation import ClientSaw, OutcomeIs, ServerSaw, SourcePort
from lab.observe import icmp
from lab.observe.listing import counted, listed
from lab.observe.seen import FlowSeen, Seen


def outcome(expected: OutcomeIs, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare every flow's outcome, and the ICMP error where one is expected."""
    return _each(seen.flows, lambda flow: _outcome(expected, flow))


def server(expected: ServerSaw, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare the tuple that the test server saw of every flow."""
    return _each(seen.flows, lambda flow: _server(expected, flow))


def client(expected: ClientSaw, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare the tuple of the answer to every flow as the client's socket saw it."""
    return _each(seen.flows, lambda flow: _client(expected, flow))


def source_port(expected: SourcePort, seen: Seen) -> tuple[Mismatch, ...]:
    """Compare each flow's source port at both ends, or those of all flows with each other."""
    if expected.rule == "distinct":
        return _distinct(expected, seen.flows)
    return _each(seen.flows, lambda flow: _source_port(expected, flow))


def _each(
    flows: tuple[FlowSeen, ...], compare: Callable[[FlowSeen], Iterable[Mismatch]]
) -> tuple[Mismatch, ...]:
    """Compare every flow; what went wrong in the same way in many of them is told once."""
    numbers: dict[Mismatch, list[int]] = {}
    for number, flow in enumerate(flows, start=1):
        for mismatch in compare(flow):
            numbers.setdefault(mismatch, []).append(number)
    if len(flows) == 1:
        return tuple(numbers)
    return tuple(
        replace(mismatch, field=f"{mismatch.field} of {_which(which, len(flows))}")
        for mismatch, which in numbers.items()
    )


def _which(numbers: list[int], total: int) -> str:
    """``flow 3``, ``flows 1, 4`` or, of many, ``7 of 10 flows``."""
    if len(numbers) > 4:
        return f"{len(numbers)} of {total} flows"
    return f"flow{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _outcome(expected: OutcomeIs, flow: FlowSeen) -> list[Mismatch]:
    location = str(expected.location)
    wanted = str(expected.outcome)
    if expected.icmp is not None:
        wanted += f" ({expected.icmp})"
    if flow.outcome is not expected.outcome:
        return [Mismatch(field="outcome", expected=wanted, observed=str(flow), location=location)]
    if expected.icmp is None or icmp.same(expected.icmp, flow.icmp):
        return []
    observed = flow.icmp or f"no ICMP error ({flow})"
    return [Mismatch(field="icmp", expected=expected.icmp, observed=observed, location=location)]


def _server(expected: ServerSaw, flow: FlowSeen) -> list[Mismatch]:
    location = str(expected.location)
    view = flow.server
    if view is None:
        return [
            Mismatch(
                field="server",
                expected=_server_text(expected),
                observed=f"no test server answered: {flow}",
                location=location,
            )
        ]
    found = []
    if expected.node is not None and expected.node != view.node:
        found.append(
            Mismatch(
                field="server node", expected=expected.node, observed=view.node, location=location
            )
        )
    found += _address("server source", expected.source, view.source, location)
    found += _address("server dest", expected.dest, view.dest, location)
    return found + _original(expected, view.original, view.errno)


def _server_text(expected: ServerSaw) -> str:
    parts = {
        "node": expected.node,
        "source": expected.source,
        "dest": expected.dest,
        "original": expected.original or expected.errno,
    }
    return ", ".join(f"{name} {part}" for name, part in parts.items() if part is not None)


def _original(expected: ServerSaw, original: SocketAddress | None, errno: str) -> list[Mismatch]:
    """Compare what SO_ORIGINAL_DST gave: an address, or an error by its name."""
    if expected.errno is not None:
        wanted, fits = expected.errno, expected.errno == errno
    elif expected.original is not None:
        wanted, fits = str(expected.original), expected.original.matches(original)
    else:
        return []
    if fits:
        return []
    observed = errno or str(original or "unknown")
    return [
        Mismatch(
            field="server original",
            expected=wanted,
            observed=observed,
            location=str(expected.location),
        )
    ]


def _client(expected: ClientSaw, flow: FlowSeen) -> list[Mismatch]:
    location = str(expected.location)
    if flow.answer is None:
        parts = {"source": expected.source, "dest": expected.dest}
        wanted = ", ".join(f"{name} {part}" for name, part in parts.items() if part is not None)
        return [
            Mismatch(
                field="client", expected=wanted, observed=f"no answer: {flow}", location=location
            )
        ]
    return [
        *_address("client source", expected.source, flow.answer.source, location),
        *_address("client dest", expected.dest, flow.answer.dest, location),
    ]


def _address(
    field: str, expected: AddressPattern | None, observed: SocketAddress, location: str
) -> list[Mismatch]:
    if expected is None or expected.matches(observed):
        return []
    return [
        Mismatch(field=field, expected=str(expected), observed=str(observed), location=location)
    ]


def _source_port(expected: SourcePort, flow: FlowSeen) -> list[Mismatch]:
    location = str(expected.location)
    own = flow.source.port if flow.source else None
    seen = flow.server.source.port if flow.server else None
    if own is None or seen is None:
        observed = f"unknown: no test server answered: {flow}"
    elif (own == seen) == (expected.rule == "kept"):
        return []
    else:
        became = "kept" if own == seen else "rewritten"
        observed = f"{became}: {own} at the client, {seen} at the server"
    return [
        Mismatch(field="source_port", expected=expected.rule, observed=observed, location=location)
    ]


def _distinct(expected: SourcePort, flows: tuple[FlowSeen, ...]) -> tuple[Mismatch, ...]:
    """Want a source port of its own for each flow; a flow without one proves nothing."""
    ports = [flow.source.port if flow.source else None for flow in flows]
    known = [port for port in ports if port is not None]
    repeated = sorted({port for port in known if known.count(port) > 1})
    if len(known) < len(ports):
        observed = f"unknown for {counted(len(ports) - len(known), 'flow')} of {len(ports)}"
    elif repeated:
        observed = f"{len(set(known))} ports in {len(ports)} flows: {listed(repeated)} again"
    else:
        return ()
    return (
        Mismatch(
            field="source_port",
            expected="distinct",
            observed=observed,
            location=str(expected.location),
        ),
    )
