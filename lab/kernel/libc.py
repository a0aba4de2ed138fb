"""System calls that Python's standard library does not offer (3.11 has no os.unshare)."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)

Argument = int | bytes | ctypes.Array[ctypes.c_char] | None


def call(name: str, *arguments: Argument) -> int:
    """Call a libc function; a negative result becomes OSError with the function's name."""
    return _checked(name, getattr(_libc, name)(*map(_as_c, arguments)))


def syscall(name: str, number: int, *arguments: Argument) -> int:
    """Make a system call that libc has no wrapper for; ``name`` is only for the error."""
    return _checked(name, _libc.syscall(ctypes.c_long(number), *map(_as_c, arguments)))


def _as_c(argument: Argument) -> object:
    """Widen integers, since a variadic call would pass 32 bits where the kernel reads 64."""
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def _checked(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
