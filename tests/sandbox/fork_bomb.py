"""Forks as each user of the command line until that is refused, and prints how often it could.

    fork_bomb.py UID...

The processes of one user stay while the next one forks; at the end they are all killed.
"""

from __future__ import annotations

import os
import signal
import sys

ENOUGH = 500


def main() -> None:
    """Let the users fork one after the other."""
    print(sum(_as_user(int(uid)) for uid in sys.argv[1:]))
    os.kill(-1, signal.SIGKILL)


def _as_user(uid: int) -> int:
    reading, writing = os.pipe()
    try:
        user = os.fork()
    except BlockingIOError:
        return 0
    if user == 0:
        os.setuid(uid)
        os.write(writing, str(1 + _fork_until_refused()).encode())
        os.close(writing)
        signal.pause()
    os.close(writing)
    return int(os.read(reading, 16))


def _fork_until_refused() -> int:
    for count in range(ENOUGH):
        try:
            child = os.fork()
        except BlockingIOError:
            return count
        if child == 0:
            signal.pause()
    return ENOUGH


if __name__ == "__main__":
    main()
