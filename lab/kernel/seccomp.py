"""A system call filter: calls that reach beyond a lab fail with EPERM (seccomp(2))."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from lab.kernel.libc import call

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_RET_ERRNO = 0x00050000
_RET_ALLOW = 0x7FFF0000
# BPF opcodes of linux/bpf_common.h: load word, jump if equal, jump if greater or equal, return
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
# struct seccomp_data: int nr; __u32 arch; …
_OFFSET_NR, _OFFSET_ARCH = 0, 4
_X32_BIT = 0x40000000

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NUMBERS = {
    "x86_64": {
        "setgroups": 116, "adjtimex": 159, "acct": 163, "settimeofday": 164, "swapon": 167,
        "swapoff": 168, "init_module": 175, "delete_module": 176, "clock_settime": 227,
        "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250,
        "perf_event_open": 298, "clock_adjtime": 305, "finit_module": 313,
        "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425,
        "io_uring_enter": 426, "io_uring_register": 427,
    },
    "aarch64": {
        "acct": 89, "kexec_load": 104, "init_module": 105, "delete_module": 106,
        "clock_settime": 112, "setgroups": 159, "settimeofday": 170, "adjtimex": 171,
        "add_key": 217, "request_key": 218, "keyctl": 219, "swapon": 224, "swapoff": 225,
        "perf_event_open": 241, "clock_adjtime": 266, "finit_module": 273, "bpf": 280,
        "userfaultfd": 282, "kexec_file_load": 294, "io_uring_setup": 425,
        "io_uring_enter": 426, "io_uring_register": 427,
    },
}  # fmt: skip


def program(machine: str, *, fake_setgroups: bool) -> bytes:
    """Assemble the filter for a machine ("x86_64", "aarch64") as an array of sock_filter.

    ``fake_setgroups`` lets setgroups(2) succeed without effect: with one mapped id the kernel
    refuses it, and daemons that drop privileges would give up. KeyError for other machines.
    """
    refuse = _RET_ERRNO | errno.EPERM
    code = [
        (_LOAD, 0, 0, _OFFSET_ARCH),
        (_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, refuse),
        (_LOAD, 0, 0, _OFFSET_NR),
    ]
    if machine == "x86_64":
        code += [(_AT_LEAST, 0, 1, _X32_BIT), (_RETURN, 0, 0, refuse)]
    for name, number in _NUMBERS[machine].items():
        if name == "setgroups" and not fake_setgroups:
            continue
        verdict = _RET_ERRNO if name == "setgroups" else refuse
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, verdict)]
    code.append((_RETURN, 0, 0, _RET_ALLOW))
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def install(*, fake_setgroups: bool) -> None:
    """Filter this thread and its children for good; needs CAP_SYS_ADMIN in the user namespace."""
    code = program(platform.machine(), fake_setgroups=fake_setgroups)
    held = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog { unsigned short len; struct sock_filter *filter; }
    descriptor = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    call("prctl", _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, descriptor, 0, 0)
