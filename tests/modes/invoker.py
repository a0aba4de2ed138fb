"""Whoever invokes lab: root, a user with subordinate ids, a user without; one for each mode."""

from __future__ import annotations

import atexit
import functools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lab.kernel.mounts import MountFlag, mount
from lab.kernel.namespaces import Namespace, setns, unshare
from lab.sandbox import fence
from lab.sandbox.fence import Mode
from tests.modes.accounts import Account, free_id
from tests.modes.place import CHECKOUT, make_place

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_IMPORT_LAB = "import lab.sandbox.launch"


class Unavailable(Exception):
    """A mode that cannot be had here, and why."""


@dataclass(frozen=True, slots=True)
class Invoker:
    """A user by whom commands are started.

    ``place`` is the descriptor of their mount namespace (see tests.modes.place), None for
    whoever runs the tests without being root. ``account`` is None unless somebody else is to be
    become. ``bound`` are files mounted over others, for each command alone.
    """

    mode: Mode
    home: str
    place: int | None = None
    account: Account | None = None
    bound: tuple[tuple[str, str], ...] = ()

    def start(
        self,
        command: Sequence[str],
        *,
        stdin: int | IO[Any] = subprocess.DEVNULL,
        stdout: int | IO[Any] = subprocess.PIPE,
        stderr: int | IO[Any] = subprocess.PIPE,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a command in the checkout; the process is the command itself, no wrapper."""
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            text=True,
            env={**self._environment(), **(environment or {})},
            preexec_fn=self._become,
        )

    def run(
        self, command: Sequence[str], timeout: float = 60, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; TimeoutExpired after ``timeout`` seconds."""
        process = self.start(command, environment=environment)
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        finally:
            process.kill()
            process.wait()
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def shell(self, script: str) -> str:
        """Run a shell script that must succeed; its output."""
        done = self.run(["sh", "-ec", script])
        assert done.returncode == 0, f"{script}: {done.stderr}"
        return done.stdout

    def python(self, *arguments: str) -> list[str]:
        """The command line of this Python, for ``arguments`` such as ``-m MODULE``."""
        return [sys.executable, *arguments]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": _PATH,
            "HOME": self.home,
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _become(self) -> None:
        if self.place is not None:
            setns(self.place, Namespace.MOUNT)
        if self.bound:
            unshare(Namespace.MOUNT)
        for source, target in self.bound:
            mount(source, target, None, MountFlag.BIND)
        if self.account is not None:
            os.setgroups([])
            os.setgid(self.account.uid)
            os.setuid(self.account.uid)
        os.chdir(CHECKOUT)


def invoker_for(mode: Mode) -> Invoker:
    """Whoever has that mode here; the same one at every call.

    Raises:
        Unavailable: nobody has, with the reason.
    """
    found = _find(mode)
    if isinstance(found, Unavailable):
        raise found
    return found


@functools.cache
def _find(mode: Mode) -> Invoker | Unavailable:
    own = fence.choose().mode
    if own is not Mode.ROOT:
        if own is mode:
            return Invoker(mode, _temporary_home())
        return Unavailable(f"only root can test as others, and this user's mode is {own}")
    if mode is Mode.SUBUID and not shutil.which("newuidmap", path=_PATH):
        return Unavailable("newuidmap is not installed (package uidmap)")
    account = _account_for(mode)
    home = pwd.getpwuid(0).pw_dir if account is None else account.home
    try:
        place = make_place(account)
    except OSError as error:
        return Unavailable(f"root may not mount here: {error.strerror}")
    invoker = Invoker(mode, home, place, account)
    probe = invoker.run(invoker.python("-c", _IMPORT_LAB))
    if probe.returncode:
        return Unavailable(f"no use of this checkout as another user: {probe.stderr.strip()}")
    return invoker


def _temporary_home() -> str:
    """A folder that is removed when the tests are over; nobody's own home is touched."""
    folder = tempfile.mkdtemp(prefix="lab-home-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _account_for(mode: Mode) -> Account | None:
    if mode is Mode.ROOT:
        return None
    subuid_user = free_id(Path("/etc"))
    if mode is Mode.SUBUID:
        return Account("lab-subuid", subuid_user, subordinate=True)
    return Account("lab-single", free_id(Path("/etc"), (subuid_user,)), subordinate=False)
