"""What a run was asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Which scenarios to run, and how.

    ``scenarios`` are catalogue names, files or folders. ``iptables`` is "nft", "legacy" or "all",
    None for what each scenario's matrix says. ``select`` is the expression that a scenario's name
    must satisfy. ``jobs`` is the number of labs side by side, None for as many as suit the
    machine. ``fail_fast`` ends the run at the first failure; ``verbose`` asks for the events that
    only a long report shows.
    """

    scenarios: tuple[str, ...]
    iptables: str | None
    select: str | None
    jobs: int | None
    fail_fast: bool
    verbose: bool
