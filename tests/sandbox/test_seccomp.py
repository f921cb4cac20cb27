"""The numbers of the calls that the filters name are those of the kernel's own headers (Debian: linux-libc-dev)."""

from __future__ import annotations

import re
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
        looked_at = {0xC000003E, 0xC00000B7, 0x5412, 0x541C, 1024, 1026, 0}  # architectures, and values of arguments
        assert compared - looked_at <= ours
