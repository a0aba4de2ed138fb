"""Kernel settings of the network namespace that the calling thread is in (sysctl(8))."""

from __future__ import annotations

import os
from pathlib import Path


def path_of(key: str) -> Path:
    """Where a key lives in /proc/sys.

    As in sysctl(8), dots separate and a slash stands for a dot inside a name
    (``net.ipv4.conf.eth0/100.rp_filter``).

    >>> str(path_of("net.ipv4.ip_forward"))
    '/proc/sys/net/ipv4/ip_forward'
    """
    return Path("/proc/sys", *(part.replace("/", ".") for part in key.split(".")))


def read(key: str) -> str:
    """The value as sysctl -n prints it, white space folded; OSError where there is none."""
    return " ".join(path_of(key).read_text().split())


def write(key: str, value: str) -> None:
    """Set a value; OSError names the key.

    A value that the kernel takes silently but does not keep (nf_conntrack_max in a namespace)
    is an error too, so it is read back.
    """
    descriptor = os.open(path_of(key), os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)
    if read(key).split() != value.split():
        raise OSError(0, f"{key} is still {read(key)} after {value} was written")
