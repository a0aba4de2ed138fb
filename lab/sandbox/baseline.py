"""What a node's settings start from, whatever the host's are.

A new network namespace takes its net.ipv4.conf values from the machine's first one
(net.core.devconf_inherit_init_net=0), so a lab on a host with rp_filter=1 would differ from one
on a host without.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

_CONF = "/proc/sys/net/ipv4/conf"
# ipv4_devconf and ipv4_devconf_dflt of net/ipv4/devinet.c; every key not named is 0.
_ALL = {
    "accept_redirects": "1",
    "arp_evict_nocarrier": "1",
    "igmpv2_unsolicited_report_interval": "10000",
    "igmpv3_unsolicited_report_interval": "1000",
    "secure_redirects": "1",
    "send_redirects": "1",
    "shared_media": "1",
}
_DEFAULT = {**_ALL, "accept_source_route": "1"}
# lo is born with a namespace and keeps what it was born with, so it is corrected by itself;
# the kernel sets two of its keys at its registration
_LOOPBACK = {**_DEFAULT, "disable_policy": "1", "disable_xfrm": "1"}
_START = {"all": _ALL, "default": _DEFAULT, "lo": _LOOPBACK}
# set by multicast routing daemons only, not writable
_READ_ONLY = frozenset({"mc_forwarding"})

Snapshot = Mapping[str, str]
"""Values by key below net.ipv4.conf, such as ``{"all.rp_filter": "1"}``."""


def snapshot() -> dict[str, str]:
    """Read what a namespace starts with: the calling thread must be in a new one."""
    return {
        f"{scope}.{name}": value for scope in _START for name, value in _values(f"{_CONF}/{scope}")
    }


def _values(path: str) -> Iterator[tuple[str, str]]:
    """Read a folder of settings; opening them from there spares the kernel the way to each."""
    folder = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    for name in set(os.listdir(folder)) - _READ_ONLY:
        file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
        yield name, os.read(file, 32).decode().strip()
        os.close(file)
    os.close(folder)


def corrections(inherited: Snapshot) -> tuple[tuple[str, str], ...]:
    """The sysctls to write so that a namespace that starts from ``inherited`` starts from ours.

    Empty on a host that changed nothing, so a thousand nodes cost nothing. ``forwarding`` comes
    first, since writing it resets accept_redirects and those of every interface.
    """
    wrong = []
    for key, value in inherited.items():
        scope, _, name = key.partition(".")
        wanted = _START[scope].get(name, "0")
        if value != wanted:
            wrong.append((key, wanted))
    if any(key == "all.forwarding" for key, _ in wrong):
        rewritten = ("all.accept_redirects", "default.accept_redirects")
        wrong += [(key, "1") for key in rewritten if (key, "1") not in wrong]
    wrong.sort(key=lambda item: (not item[0].endswith(".forwarding"), item[0]))
    return tuple((f"net.ipv4.conf.{key}", value) for key, value in wrong)
