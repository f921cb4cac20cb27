"""The numbers of the calls that the filters name are those of the kernel's own headers (Debian: linux-libc-dev)."""

from __future__ import annotations

import re
import struct
import sysconfig
from pathlib import Path

import pytest

from tlcourse.sandbox import seccomp

MULTIARCH = sysconfig.get_config_var("MULTIARCH") or ""
HEADERS = {
    "x86_64": [Path("/usr/include", folder, "asm/unistd_64.h") for folder in ("x86_64-linux-gnu", MULTIARCH, "")],
    "aarch64": [Path("/usr/include/asm-generic/unistd.h")],  # aarch64 has the generic table
}
NEW = {
    "cachestat": 451,  # 6.5
    "fchmodat2": 452,  # 6.6
    "setxattrat": 463,  # 6.13
    "removexattrat": 466,  # 6.13
    "open_tree_attr": 467,  # 6.15
    "file_setattr": 469,  # 6.17
}
"""Calls that a header may be too old to know. Since Linux 5.1 a new call has one number on all machines."""


def known_to_the_kernel(machine: str) -> dict[str, int]:
    """Name → number, as the header says."""
    found = [path for path in HEADERS[machine] if path.is_file()]
    if not found:
        pytest.skip("no kernel headers here (Debian: linux-libc-dev)")
    return {
        name: int(number)
        for name, number in re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)\s*$", found[0].read_text(), re.MULTILINE)
    }


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_number_is_the_kernels(machine):
    kernel = known_to_the_kernel(machine)
    assert len(kernel) > 300
    ours = seccomp.numbers(machine)
    assert len(ours) > 70
    assert {name: number for name, number in ours.items() if kernel.get(name, number) != number} == {}
    unknown = {name: number for name, number in ours.items() if name not in kernel}
    assert unknown.items() <= NEW.items()
    assert all(number > max(n for name, n in kernel.items() if name != "syscalls") for number in unknown.values())


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_no_two_calls_have_one_number(machine):
    ours = seccomp.numbers(machine)
    assert len(set(ours.values())) == len(ours)
    assert {name: number for name, number in ours.items() if name in NEW}.items() <= NEW.items()


ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x50001, 0x50026, 0x80000000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
VALUES = {0x5412, 0x541C, 0x5452, 0x8901, 0x8902, 1024, 1026, *range(18)}
"""What arguments are compared with: ioctl's requests, fcntl's commands, families, types and protocols of sockets."""


def decided(code: bytes, machine: str, number: int, *arguments: int) -> int:
    """What the kernel makes of a call: the filter, interpreted as in the kernel's own documentation of BPF."""
    data = struct.pack("<IIQ6Q", number, ARCHITECTURES[machine], 0, *(*arguments, *[0] * 6)[:6])
    at = accumulator = 0
    while True:
        operation, if_true, if_false, value = struct.unpack_from("<HBBI", code, 8 * at)
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x54:
                accumulator &= value
            case 0x06:
                return value
            case _:
                true = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}
                at += if_true if true[operation] else if_false


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_of_calls_that_training_needs_only_some_arguments_are_refused(machine):
    code, numbers = seccomp.program(machine), seccomp.numbers(machine)
    assert code is not None

    def refused(name: str, *arguments: int) -> bool:
        return decided(code, machine, numbers[name], *arguments) == EPERM

    vm, files, sighand, thread, new_user = 0x100, 0x400, 0x800, 0x10000, 0x10000000
    assert not refused("clone", vm | files | sighand | thread)  # a thread of libc's
    assert refused("clone", vm | sighand | thread)  # a thread with descriptors of its own
    assert not refused("clone", 17)  # fork
    assert not refused("clone", vm | 0x4000 | 17)  # vfork
    assert refused("clone", new_user | 17)
    assert decided(code, machine, numbers["clone3"]) == ENOSYS  # so that libc falls back to clone
    assert [refused("close_range", 3, 99, flags) for flags in (0, 2, 4, 6)] == [False, True, False, True]
    assert [refused("ioctl", 0, request) for request in (0x5412, 0x541C, 0x5413, 0x5452)] == [True, True, False, False]
    assert [refused("fcntl", 3, command) for command in (1024, 1026)] == [True] * 2
    assert [refused("fcntl", 3, command) for command in (1, 3, 4, 8, 1031)] == [False] * 5
    assert decided(code, machine, numbers["ptrace"]) == EPERM
    assert decided(code, machine, 0) in (ALLOW, EPERM)  # read, or on aarch64 io_setup


UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
STREAM, DGRAM, RAW, SEQPACKET, CLOEXEC = 1, 2, 3, 5, 0x80000


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_sockets_are_unix_tcp_udp_and_netlinks_routes_and_no_others(machine):
    code, numbers = seccomp.program(machine), seccomp.numbers(machine)
    assert code is not None

    def allowed(*arguments: int) -> bool:
        return decided(code, machine, numbers["socket"], *arguments) == ALLOW

    wanted = {(UNIX, kind, 0) for kind in (STREAM, DGRAM, RAW, SEQPACKET)} | {(NETLINK, kind, 0) for kind in range(16)}
    for family in (INET, INET6):
        wanted |= {(family, STREAM, 0), (family, STREAM, 6), (family, DGRAM, 0), (family, DGRAM, 17)}
    found = {
        (family, kind, protocol)
        for family in range(50)
        for kind in range(16)
        for protocol in (*range(40), 132, 136, 262)
        if allowed(family, kind | CLOEXEC, protocol)
    }
    assert {one for one in found - wanted if one[0] != UNIX} == set()
    assert wanted <= found
    pairs = [family for family in range(50) if decided(code, machine, numbers["socketpair"], family, STREAM) == ALLOW]
    assert pairs == [UNIX]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("signals", [True, False])
def test_without_namespaces_no_signal_is_sent_by_way_of_a_descriptor(machine, signals):
    """kill(2) is refused where nothing bounds it; F_SETOWN, F_SETSIG and O_ASYNC would have the kernel do the same."""
    code, numbers = seccomp.program(machine, namespaces=False, signals=signals), seccomp.numbers(machine)
    assert code is not None

    def refused(name: str, *arguments: int) -> bool:
        return decided(code, machine, numbers[name], *arguments) == EPERM

    assert refused("kill", 1, 9) is not signals
    assert [refused("fcntl", 3, command) for command in (8, 10, 15)] == [True] * 3
    assert [refused("fcntl", 3, command) for command in (1, 2, 3, 9, 11, 16, 1030)] == [False] * 7
    assert [refused("fcntl", 3, 4, flags) for flags in (0x800, 0x2000, 0x2800)] == [False, True, True]
    assert [refused("ioctl", 3, request) for request in (0x5452, 0x8901, 0x8902)] == [True] * 3
    assert not refused("ioctl", 3, 0x5421)  # FIONBIO


@pytest.mark.parametrize("namespaces", [True, False])
def test_a_filter_refuses_nothing_that_is_not_in_the_table(namespaces):
    for machine in ("x86_64", "aarch64"):
        code = seccomp.program(machine, namespaces=namespaces, signals=False)
        assert code is not None
        compared = {
            int.from_bytes(code[i + 4 : i + 8], "little")
            for i in range(0, len(code), 8)
            if int.from_bytes(code[i : i + 2], "little") == 0x15 and code[i + 4 : i + 8] != b""
        }
        ours = set(seccomp.numbers(machine).values())
        assert compared - {*ARCHITECTURES.values()} - VALUES <= ours
