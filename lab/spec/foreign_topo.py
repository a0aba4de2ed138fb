"""A Mininet `Topo` class of the user's own, read in another process: what it says, or why not.

The user's file is a program. ``describe`` runs it, and belongs where it can do no harm; what it
returns is data, which ``written_topology_of`` takes with the caution that such an origin deserves.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Protocol

from lab.spec.misfit import Misfit, did_you_mean

# A topology of a thousand nodes takes a few hundred kilobytes.
LONGEST_DESCRIPTION: Final = 16 * 1024 * 1024


class Failure(StrEnum):
    """Why a file gave no topology; each is followed by a text that says more."""

    NOT_IMPORTED = "not-imported"
    NO_SUCH_CLASS = "no-such-class"
    NOT_A_TOPO = "not-a-topo"
    RAISED = "raised"
    NOT_PLAIN = "not-plain"
    TIMED_OUT = "timed-out"
    DIED = "died"


class ForeignLoader(Protocol):
    """Runs ``describe`` in a process of its own and returns its result as JSON."""

    def __call__(
        self, path: Path, class_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> str:
        """Describe ``class_name(*args, **kwargs)`` of the Python file at ``path``."""


def describe(
    path: Path, class_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Import a file, build one of its Topo classes and describe the result.

    Args:
        path: the Python file.
        class_name: a class of it.
        args: what the class is called with.
        kwargs: the same by name.

    Returns:
        ``{"topology": {"nodes": …, "links": …}}`` or ``failure(…)``; all of it fit for JSON.
        Nothing that the file raises is passed on, not even SystemExit.
    """
    try:
        return _describe(path, class_name, args, kwargs)
    except RecursionError:
        return failure(Failure.RAISED, f"{path.name}: RecursionError")


def failure(kind: Failure, text: str, known: Sequence[str] = ()) -> dict[str, Any]:
    """What stands in place of a description: the kind of failure, more about it, what there is."""
    return {"failure": kind.value, "text": text, "known": list(known)}


def _describe(
    path: Path, class_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    from lab.spec.mininet_topo import import_file, is_topo_class, written_topology

    try:
        module = import_file(path)
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return failure(Failure.NOT_IMPORTED, _last_line(error, path))
    candidate = getattr(module, class_name, None)
    if candidate is None:
        return failure(Failure.NO_SUCH_CLASS, class_name, _own_topo_classes(module))
    if not is_topo_class(candidate):
        return failure(Failure.NOT_A_TOPO, class_name, _own_topo_classes(module))
    try:
        written = written_topology(candidate(*args, **kwargs))
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return failure(Failure.RAISED, _last_line(error, path))
    try:
        json.dumps(written, allow_nan=False)
    except (TypeError, ValueError) as error:
        return failure(Failure.NOT_PLAIN, str(error))
    return {"topology": written}


def _own_topo_classes(module: ModuleType) -> list[str]:
    from lab.spec.mininet_topo import is_topo_class

    return sorted(
        name
        for name, value in vars(module).items()
        if is_topo_class(value) and value.__module__ == module.__name__
    )


def _last_line(error: BaseException, path: Path) -> str:
    """Where in the user's file an error arose and what it says: ``topo.py:12: ValueError: no``."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path.name}:{error.lineno or 1}: {error.msg}"
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    return f"{path.name}:{lines[-1]}: {said}" if lines else f"{path.name}: {said}"


def written_topology_of(description: str, class_name: str) -> dict[str, Any]:
    """Take a description apart.

    Args:
        description: what the loader returned.
        class_name: the class that was asked for.

    Returns:
        The topology in its written form, not validated yet.

    Raises:
        Misfit: the file gave no topology; says why, in words.
    """
    nonsense = Misfit(f"'{class_name}' gave no topology")
    if len(description) > LONGEST_DESCRIPTION:
        raise Misfit(f"'{class_name}' gave more than {LONGEST_DESCRIPTION >> 20} MiB of topology")
    try:
        outcome = json.loads(description)
    except (ValueError, RecursionError):
        raise nonsense from None
    if not isinstance(outcome, dict):
        raise nonsense
    if isinstance(outcome.get("topology"), dict):
        topology: dict[str, Any] = outcome["topology"]
        return topology
    known = outcome.get("known")
    names = [str(name) for name in known] if isinstance(known, list) else []
    raise _why(str(outcome.get("failure")), str(outcome.get("text")), class_name, names) or nonsense


def _why(kind: str, text: str, class_name: str, known: list[str]) -> Misfit | None:
    """A failure in words."""
    match kind:
        case Failure.NOT_IMPORTED:
            return Misfit("the topology's file cannot be imported", text)
        case Failure.NO_SUCH_CLASS:
            hint = did_you_mean(text, known, "its topologies") or "it has no Topo class at all"
            return Misfit(f"the file has no class '{text}'", hint)
        case Failure.NOT_A_TOPO:
            hint = did_you_mean(text, known, "its topologies")
            return Misfit(f"'{text}' is no subclass of mininet.topo.Topo", hint)
        case Failure.RAISED:
            return Misfit(f"'{class_name}' cannot be built", text)
        case Failure.NOT_PLAIN:
            return Misfit(f"'{class_name}' has a parameter that is no plain value", text)
        case Failure.TIMED_OUT:
            return Misfit(f"'{class_name}' is still not built after {text}", "does it loop?")
        case Failure.DIED:
            return Misfit(f"the process that built '{class_name}' died", text)
    return None


def main() -> None:
    """Describe the class that standard input names, to standard output, both as JSON.

    Standard input is one object with the keys path, class, args and kwargs. What the file itself
    prints goes to standard error.
    """
    request = json.load(sys.stdin)
    with os.fdopen(os.dup(1), "w") as answer:
        os.dup2(2, 1)
        json.dump(
            describe(Path(request["path"]), request["class"], request["args"], request["kwargs"]),
            answer,
        )


if __name__ == "__main__":
    main()
