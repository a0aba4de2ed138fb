"""What a command line tells of an examination: a table, and whatever got through."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lab.model.errors import Location, Mistake
from tools.mutation.case import Case, Kind, Result, Verdict

_COMMAND_VERDICTS: Final = (
    Verdict.TRAFFIC,
    Verdict.EXIT_CODE,
    Verdict.LISTING,
    Verdict.UNNEEDED,
    Verdict.SURVIVED,
)
_LISTED: Final = {
    (Kind.COMMANDS, Verdict.SURVIVED): "nobody notices that these commands are gone",
    (Kind.VALUES, Verdict.SURVIVED): "these values may be others",
    (Kind.COMMANDS, Verdict.EXIT_CODE): "noticed by an exit code alone",
    (Kind.COMMANDS, Verdict.LISTING): "noticed by a listing alone",
    (Kind.COMMANDS, Verdict.UNNEEDED): "marked as unneeded",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A result and the backends in which it came out so."""

    result: Result
    backends: tuple[str, ...]


def summary(cases: Sequence[Case], stale: Iterable[Mistake]) -> str:
    """The table of all cases, what got through or was noticed otherwise, and stale markings."""
    lines = _table(cases)
    for case in cases:
        name = f"{case.scenario.name} [iptables {case.backend}]"
        if case.skipped:
            lines += ["", f"{name} skipped: {case.skipped}"]
        elif case.fault:
            lines += ["", f"{name} cannot be examined: {case.fault}"]
    for (kind, verdict), heading in _LISTED.items():
        entries = list(_entries(cases, kind, verdict))
        if entries:
            lines += ["", f"{heading} ({len(entries)}):", *map(_entry, entries)]
    for mistake in stale:
        lines += ["", str(replace(mistake, location=shown(mistake.location)))]
    return "\n".join(lines)


def shown(location: Location) -> Location:
    """A place in a file, named from the current folder where it lies below it."""
    relative = os.path.relpath(location.path)
    return location if relative.startswith("..") else replace(location, path=relative)


def _table(cases: Sequence[Case]) -> list[str]:
    head = ["scenario", "iptables", "commands", *_COMMAND_VERDICTS, "values", "killed", "survived"]
    rows = [_row(case) for case in cases]
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if index < 2 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]


def _row(case: Case) -> list[str]:
    counts = Counter((result.kind, result.verdict) for result in case.results)
    commands = [counts[Kind.COMMANDS, verdict] for verdict in _COMMAND_VERDICTS]
    values = [counts[Kind.VALUES, verdict] for verdict in (Verdict.KILLED, Verdict.SURVIVED)]
    numbers = [sum(commands), *commands, sum(values), *values]
    return [case.scenario.name, str(case.backend), *map(str, numbers)]


def _entries(cases: Sequence[Case], kind: Kind, verdict: Verdict) -> Iterator[Entry]:
    """The results of one verdict; the same one in several backends is one entry."""
    found: dict[tuple[Location, str], list[tuple[str, Result]]] = {}
    for case in cases:
        for result in case.results:
            if (result.kind, result.verdict) == (kind, verdict):
                at = found.setdefault((result.location, result.what), [])
                at.append((str(case.backend), result))
    for place in sorted(found, key=lambda place: place[0]):
        told = found[place]
        yield Entry(told[0][1], tuple(dict.fromkeys(backend for backend, _ in told)))


def _entry(entry: Entry) -> str:
    result = entry.result
    text = f"  {shown(result.location)}: {result.what}  [{', '.join(entry.backends)}]"
    reasons = [f"unneeded: {result.unneeded}"] if result.unneeded else []
    reasons += [result.noticed_by] if result.noticed_by else []
    return "\n      ".join([text, *reasons])
