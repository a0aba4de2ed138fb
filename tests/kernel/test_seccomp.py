"""The system call filter: as a program, and installed in a process."""

from __future__ import annotations

import errno
import os
import platform
import re
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel import seccomp
from lab.kernel.libc import syscall
from lab.kernel.namespaces import Namespace, unshare
from tests.kernel.own_network import own_network, run

# linux/seccomp.h, linux/audit.h
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EPERM = ERRNO | errno.EPERM
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
FOREIGN = {"i386": 0x40000003, "arm": 0x40000028, "riscv64": 0xC00000F3}
X32 = 0x40000000
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
REFUSED = {
    *("acct", "add_key", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "delete_module"),
    *("finit_module", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup"),
    *("kexec_file_load", "kexec_load", "keyctl", "perf_event_open", "request_key"),
    *("settimeofday", "swapoff", "swapon", "userfaultfd"),
}

machines = pytest.mark.parametrize("machine", [*ARCHITECTURES])
numbers = st.integers(0, 2**32 - 1) | st.integers(0, 500)


def verdict(program: bytes, architecture: int, number: int) -> int:
    """Run the filter as the kernel would, on a struct seccomp_data (linux/filter.h)."""
    words = {0: number, 4: architecture}
    code = [*struct.iter_unpack("HBBI", program)]
    accumulator, at = 0, 0
    while True:
        operation, when_true, when_false, operand = code[at]
        at += 1
        match operation:
            case 0x20:  # BPF_LD | BPF_W | BPF_ABS
                accumulator = words[operand]
            case 0x15:  # BPF_JMP | BPF_JEQ | BPF_K
                at += when_true if accumulator == operand else when_false
            case 0x35:  # BPF_JMP | BPF_JGE | BPF_K
                at += when_true if accumulator >= operand else when_false
            case 0x06:  # BPF_RET | BPF_K
                return int(operand)
            case _:
                raise AssertionError(f"unknown operation {operation:#x}")


def listed(machine: str) -> Mapping[str, int]:
    return seccomp._NUMBERS[machine]


@machines
@given(number=numbers)
def test_exactly_the_listed_calls_are_refused(machine: str, number: int) -> None:
    program = seccomp.program(machine, fake_setgroups=False)
    refused = {listed(machine)[name] for name in REFUSED}
    if machine == "x86_64" and number >= X32:
        refused.add(number)
    expected = EPERM if number in refused else ALLOW
    assert verdict(program, ARCHITECTURES[machine], number) == expected


@machines
@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_listed_call_is_refused(machine: str, name: str) -> None:
    for fake in (False, True):
        program = seccomp.program(machine, fake_setgroups=fake)
        assert verdict(program, ARCHITECTURES[machine], listed(machine)[name]) == EPERM


@machines
def test_nothing_else_is_listed(machine: str) -> None:
    assert set(listed(machine)) == REFUSED | {"setgroups"}


@machines
def test_setgroups_succeeds_without_effect_if_it_is_faked(machine: str) -> None:
    number = listed(machine)["setgroups"]
    faked = seccomp.program(machine, fake_setgroups=True)
    assert verdict(faked, ARCHITECTURES[machine], number) == ERRNO | 0
    real = seccomp.program(machine, fake_setgroups=False)
    assert verdict(real, ARCHITECTURES[machine], number) == ALLOW


@machines
@given(number=numbers)
@pytest.mark.parametrize("foreign", [*FOREIGN, "the other"])
def test_a_call_by_another_architectures_numbers_is_refused(
    machine: str, foreign: str, number: int
) -> None:
    (other,) = (code for name, code in ARCHITECTURES.items() if name != machine)
    program = seccomp.program(machine, fake_setgroups=True)
    assert verdict(program, FOREIGN.get(foreign, other), number) == EPERM


@given(number=st.integers(0, 500))
def test_a_call_by_its_x32_number_is_refused(number: int) -> None:
    program = seccomp.program("x86_64", fake_setgroups=True)
    assert verdict(program, ARCHITECTURES["x86_64"], X32 | number) == EPERM


def test_other_machines_are_unknown() -> None:
    with pytest.raises(KeyError):
        seccomp.program("riscv64", fake_setgroups=False)


@machines
def test_the_numbers_are_the_headers(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"no {header} here (package linux-libc-dev)")
    defined = dict(re.findall(r"#define __NR_(\w+)\s+(\d+)", header.read_text()))
    assert {name: int(defined[name]) for name in listed(machine)} == dict(listed(machine))


def number_of(name: str) -> int:
    return listed(platform.machine())[name]


@own_network
def test_a_filtered_process_is_refused_every_listed_call() -> None:
    seccomp.install(fake_setgroups=True)
    outcomes: dict[str, int | None] = {}
    for name in sorted(REFUSED):
        try:
            outcomes[name] = syscall(name, number_of(name), -1, -1, -1, -1, -1)
        except OSError as error:
            outcomes[name] = error.errno
    assert outcomes == dict.fromkeys(sorted(REFUSED), errno.EPERM)


@own_network
@pytest.mark.parametrize("name", ["add_key", "io_uring_setup", "request_key"])
def test_without_the_filter_a_listed_call_fails_for_another_reason(name: str) -> None:
    with pytest.raises(OSError, match=name) as failed:
        syscall(name, number_of(name), -1, -1, -1, -1, -1)
    assert failed.value.errno != errno.EPERM


@own_network
def test_a_filtered_processs_children_are_filtered() -> None:
    seccomp.install(fake_setgroups=True)
    script = f"import ctypes; print(ctypes.CDLL(None).syscall({number_of('add_key')}, 0, 0))"
    assert run(f'python3 -c "{script}"') == "-1\n"
    assert "Seccomp:\t2" in run("cat /proc/self/status")


@own_network
def test_faked_setgroups_changes_no_group() -> None:
    before = os.getgroups()
    seccomp.install(fake_setgroups=True)
    os.setgroups([7, 8, 9])
    assert os.getgroups() == before


@own_network
def test_setgroups_is_the_kernels_own_unless_it_is_faked() -> None:
    seccomp.install(fake_setgroups=False)
    with pytest.raises(PermissionError):
        os.setgroups([7])


@own_network
def test_a_filtered_process_can_still_make_network_namespaces() -> None:
    seccomp.install(fake_setgroups=True)
    unshare(Namespace.NET)
    assert run("ip -o link | wc -l") == "1\n"
