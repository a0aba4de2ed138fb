"""Making a node inhabited: its own PID, mount, UTS and IPC namespaces, with a sleeping init.

Done only when a process is to run there, so that a thousand idle hosts cost nothing.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from lab.kernel.mounts import MountFlag, make_private, mount, tmpfs
from lab.kernel.namespaces import Namespace, hold, setns, unshare
from lab.model.errors import Broken

_READY = b"ready"
_VIRTUAL = MountFlag.NOSUID | MountFlag.NODEV | MountFlag.NOEXEC
# mnt comes last: entering it changes what every path means
ENTRY_ORDER = (Namespace.NET, Namespace.UTS, Namespace.IPC, Namespace.PID, Namespace.MOUNT)


@dataclass(frozen=True, slots=True)
class Inhabited:
    """A node in which processes can run: its init, and its namespaces by descriptor."""

    name: str
    init: int
    namespaces: tuple[tuple[Namespace, int], ...]

    def enter(self) -> None:
        """Move the calling thread into the node; it can then never go back to the lab's PIDs."""
        for kind, descriptor in self.namespaces:
            setns(descriptor, kind)


def inhabit(name: str, net: int, addresses: tuple[str, ...] = ()) -> Inhabited:
    """Give the node with network namespace ``net`` an init of its own.

    A thread that has set a PID namespace for its children can't unset it, so each node is made
    in a thread of its own, started from one that never was in a node.
    """
    result: list[int | BaseException] = []

    def body() -> None:
        try:
            result.append(_fork_init(name, net, addresses))
        except BaseException as error:  # noqa: BLE001 -- handed to the thread that waits
            result.append(error)

    thread = threading.Thread(target=body, name=f"inhabit {name}")
    thread.start()
    thread.join()
    if isinstance(result[0], BaseException):
        raise Broken(f"{name}: cannot start its processes: {result[0]}") from result[0]
    init = result[0]
    return Inhabited(name, init, tuple((kind, hold(kind, init)) for kind in ENTRY_ORDER))


def _fork_init(name: str, net: int, addresses: tuple[str, ...]) -> int:
    reader, writer = os.pipe()
    setns(net, Namespace.NET)
    unshare(Namespace.PID)
    pid = os.fork()
    if pid == 0:
        _become_init(name, addresses, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    if answer != _READY:
        os.waitpid(pid, 0)
        raise OSError(0, answer.decode(errors="replace"))
    return pid


def _become_init(name: str, addresses: tuple[str, ...], writer: int) -> None:
    """The forked child's life: private mounts, then a program that sleeps."""
    try:
        unshare(Namespace.MOUNT | Namespace.UTS | Namespace.IPC)
        make_private("/")
        socket.sethostname(name)
        mount("proc", "/proc", "proc", _VIRTUAL)
        mount("sysfs", "/sys", "sysfs", _VIRTUAL)
        tmpfs("/run", "8m", 0o755, MountFlag.NODEV)
        # services keep leases and states there, under names that every node would share
        tmpfs("/var/lib", "8m", 0o755, MountFlag.NODEV)
        _name_files(name, addresses)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        # survives exec, so the kernel itself reaps the node's orphans
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.setsid()
        os.write(writer, _READY)
        os.close(writer)
        os.execv("/bin/sleep", ["lab-node-init", "infinity"])
    except BaseException as error:  # noqa: BLE001 -- a fork must end here
        os.write(writer, str(error).encode())
    finally:
        os._exit(1)


def _name_files(name: str, addresses: tuple[str, ...]) -> None:
    """The node's own hosts(5), where its name is its first address, and an empty resolv.conf."""
    for folder in ("lock", "netns"):
        os.makedirs(f"/run/{folder}")
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    lines += [f"{address} {name}" for address in addresses[:1] or ("127.0.1.1",)]
    Path("/run/hosts").write_text("\n".join(lines) + "\n")
    Path("/run/resolv.conf").write_text("")
    for file in ("hosts", "resolv.conf"):
        target = f"/etc/{file}"
        if os.path.islink(target) or not os.path.exists(target):
            continue
        mount(f"/run/{file}", target, None, MountFlag.BIND)
