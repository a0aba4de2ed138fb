"""What of the host's files a lab may see: the interpreter, this package, the scenario's folder."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import lab
from lab.model.scenario import Backend
from lab.sandbox.fence import Fence, Mode
from lab.sandbox.root import RootPlan
from lab.sandbox.toolbox import Toolbox, find_backend

# hidden below a tmpfs in a lab, so what lies there must be named to be seen
_HIDDEN = ("/home", "/root", "/tmp", "/run", "/var", "/mnt", "/dev")
# what is imported only when it is needed
_IMPORTED = ("mininet", "pyroute2")


def root_plan(
    fence: Fence, backend: Backend, paths: Iterable[str], test_server: str | None = None
) -> RootPlan:
    """Plan a lab's root that shows ``paths`` (files or folders, absolute) at their own places."""
    package = Path(lab.__file__).resolve().parent
    wanted = {os.path.realpath(sys.prefix), os.path.realpath(sys.base_prefix), str(package)}
    wanted |= {os.path.realpath(entry) for entry in _folders_of_packages()}
    wanted |= set(paths)
    return RootPlan(
        toolbox=Toolbox(backend, find_backend(backend), test_server),
        single_uid=fence.mode is Mode.SINGLE,
        expose=tuple(sorted(_outermost(path for path in wanted if _is_hidden(path)))),
        homes=("/home", "/root", *_own_home()),
    )


def _folders_of_packages() -> Iterator[str]:
    """The entries of sys.path from which a lab that is up may import what it needs.

    Not all of them: ``python -m`` puts the current folder there, which may be somebody's home.
    """
    for entry in sys.path:
        if any(os.path.isfile(os.path.join(entry, name, "__init__.py")) for name in _IMPORTED):
            yield entry


def scenario_paths(scenario: str, files: Iterable[str]) -> tuple[str, ...]:
    """What a scenario shows: its folder and its ``files``.

    A scenario that lies directly in somebody's home shows only itself, not the home.
    """
    folder = os.path.dirname(scenario)
    private = {"/", "/tmp", "/home", "/root", *_homes()}
    return (scenario if folder in private else folder, *files)


def _homes() -> set[str]:
    """Everybody's homes, and what the invoking user calls home."""
    own = os.path.realpath(os.path.expanduser("~"))
    return {own, *(account.pw_dir.rstrip("/") for account in pwd.getpwall())}


def _own_home() -> tuple[str, ...]:
    """The invoking user's home where it is not below the usual places."""
    try:
        home = pwd.getpwuid(os.getuid()).pw_dir.rstrip("/")
    except KeyError:
        return ()
    if not home or _is_below(home, ("/home", "/root", "/var", "/tmp", "/run")):
        return ()
    return (home,) if home.count("/") > 1 else ()


def _is_hidden(path: str) -> bool:
    return _is_below(path, (*_HIDDEN, *_own_home()))


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _outermost(paths: Iterable[str]) -> list[str]:
    """Leave out what lies below another of the paths."""
    kept: list[str] = []
    for path in sorted(paths):
        if not _is_below(path, kept):
            kept.append(path)
    return kept
