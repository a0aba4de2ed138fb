"""Whether a link carries frames yet: its operational state (RFC 2863), by rtnetlink(7).

A link that has got its carrier drops what it is given to send until the kernel's link watch has
been at it, from a work queue that a busy machine lets wait (linkwatch_do_dev of
net/core/link_watch.c). The first end of a veth pair to be set up is such a link.
"""

from __future__ import annotations

import select
import socket
import struct
import time

from lab.kernel.netlink import NLM_F_REQUEST, NLMSG_ERROR

_ANSWER_BYTES = 1 << 14
_INTERVAL = 0.001
# struct nlmsghdr and struct ifinfomsg, struct nlattr, and all of them with one attribute of 32 bits
_HEADERS = struct.Struct("=IHHIIBxHiII")
_ATTRIBUTE = struct.Struct("=HH")
_QUESTION = struct.Struct("=IHHIIBxHiIIHHI")


def await_operational(channel: socket.socket, index: int, seconds: float) -> bool:
    """Wait until a link carries frames; False if it does not within so many seconds.

    ``channel`` is a NETLINK_ROUTE socket in the link's namespace. Raises OSError if there is no
    such link.
    """
    deadline = time.monotonic() + seconds
    while not _is_operational(channel, index):
        if time.monotonic() > deadline:
            return False
        select.select([], [], [], _INTERVAL)
    return True


def _is_operational(channel: socket.socket, index: int) -> bool:
    """Ask for a link's state; since Linux 6.8 the link watch is made to go there first."""
    ifla_operstate, if_oper_up = 16, 6
    channel.send(_question(index))
    answer = channel.recv(_ANSWER_BYTES)
    _, kind, *_ = _HEADERS.unpack_from(answer)
    if kind == NLMSG_ERROR:
        (error,) = struct.unpack_from("=i", answer, 16)
        raise OSError(-error, "no such link")
    offset = _HEADERS.size
    while offset < len(answer):
        length, kind = _ATTRIBUTE.unpack_from(answer, offset)
        if kind == ifla_operstate:
            return answer[offset + _ATTRIBUTE.size] == if_oper_up
        offset += (length + 3) & ~3
    return False


def _question(index: int) -> bytes:
    """RTM_GETLINK without the counters, which would be most of the answer."""
    rtm_getlink, ifla_ext_mask, rtext_filter_skip_stats = 18, 29, 1 << 3
    return _QUESTION.pack(
        *(_QUESTION.size, rtm_getlink, NLM_F_REQUEST, 0, 0),
        *(socket.AF_UNSPEC, 0, index, 0, 0),
        *(8, ifla_ext_mask, rtext_filter_skip_stats),
    )
