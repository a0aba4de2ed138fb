"""Whether legacy iptables tables can be had in a user namespace of this kernel."""

from __future__ import annotations

import subprocess

from lab.model.scenario import Backend
from lab.sandbox.toolbox import find_backend

_TABLES = ("filter", "nat")
MODPROBE = "sudo modprobe -a ip_tables iptable_filter iptable_nat iptable_mangle iptable_raw"


def missing_tables() -> tuple[str, str] | None:
    """Ask in the sandbox's own network namespace, which belongs to no node.

    A user namespace may use the tables but not load their modules, as nft's do by themselves.
    Returns the reason and the command that would cure it, or None where all is well.
    """
    multi = find_backend(Backend.LEGACY)
    for table in _TABLES:
        ended = subprocess.run(
            [multi, "iptables", "-t", table, "-S"], capture_output=True, text=True, check=False
        )
        if ended.returncode:
            words = ended.stderr.strip().splitlines()[:1]
            told = words[0] if words else f"exit code {ended.returncode}"
            return f"legacy iptables has no {table} table here: {told}", MODPROBE
    return None
