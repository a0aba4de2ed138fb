"""Runs inside a network namespace and makes sockets there for the process that asks.

A socket belongs for ever to the namespace it was made in, so that a test outside can use it.
Each request on the inherited socket is two native ints, the address family and the socket type;
the answer is the socket (SCM_RIGHTS). Ends when the asking process does.
"""

import fcntl
import socket
import struct
import sys

SIOCSIFFLAGS = 0x8914  # linux/sockios.h
IFF_UP = 1  # linux/if.h
REQUEST = struct.Struct("ii")


def bring_up(interface: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", interface.encode(), IFF_UP))


def answer_requests(asker: socket.socket) -> None:
    while request := asker.recv(REQUEST.size):
        with socket.socket(*REQUEST.unpack(request)) as made:
            socket.send_fds(asker, [b"."], [made.fileno()])


if __name__ == "__main__":
    bring_up("lo")
    with socket.socket(fileno=int(sys.argv[1])) as parent:
        parent.send(b".")
        answer_requests(parent)
