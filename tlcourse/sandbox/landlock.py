"""Landlock: the kernel's own way for a process to give up access to files, ports, sockets and signals, without root.

A domain is entered once and for all, and inherited by everything that is started in it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_VERSION, _PATH_BENEATH = 1, 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
_REMOVE_DIR, _REMOVE_FILE, _MAKE_CHAR, _MAKE_DIR, _MAKE_REG, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_SYM = (
    1 << bit for bit in range(4, 13)
)
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
READ: Final = EXECUTE | READ_FILE | READ_DIR
SCRATCH: Final = (
    READ | WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _MAKE_SOCK | _MAKE_FIFO | _MAKE_SYM
    | _REFER | _TRUNCATE
)  # fmt: skip
DEVICE: Final = READ_FILE | WRITE_FILE
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEV

_ALL_FS = ((1, (1 << 13) - 1), (2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEV))
_TCP, _ABSTRACT_AND_SIGNALS = 0b11, 0b11


class Abilities(Struct, frozen=True):
    """What the Landlock of a kernel can take away; `version` 0: it has none, or it is not switched on."""

    version: int

    @property
    def files(self) -> int:
        """The rights about files that it knows."""
        known = 0
        for version, rights in _ALL_FS:
            known |= rights if self.version >= version else 0
        return known

    @property
    def signals(self) -> bool:
        """Whether it keeps signals and abstract sockets inside a domain."""
        return self.version >= 6


def abilities() -> Abilities:
    """What this kernel can do."""
    if not sys.platform.startswith("linux"):
        return Abilities(0)
    version = ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION)
    return Abilities(max(0, int(version)))


def enter(rights: Iterable[tuple[str, int]]) -> None:
    """Keep of the file system only `rights`, pairs of a path and what may be done below it; no port, no signal.

    What is not there is skipped. The caller has set no_new_privs. Raises OSError.
    """
    libc, able = ctypes.CDLL(None, use_errno=True), abilities()
    if not able.version:
        raise OSError("this kernel has no Landlock")
    attributes = struct.pack(
        "=QQQ", able.files, _TCP if able.version >= 4 else 0, _ABSTRACT_AND_SIGNALS if able.signals else 0
    )
    size = 24 if able.version >= 6 else 16 if able.version >= 4 else 8
    ruleset = _checked(libc.syscall(_CREATE, attributes, ctypes.c_size_t(size), 0), "landlock_create_ruleset")
    for path, wanted in rights:
        with contextlib.suppress(FileNotFoundError):
            _allow(libc, ruleset, path, wanted & able.files)
    _checked(libc.syscall(_RESTRICT, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, wanted: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(path):  # noqa: PTH112
            wanted &= _OF_FILES
        rule = struct.pack("=Qi", wanted, descriptor)
        _checked(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0), f"landlock_add_rule for {path}")
    finally:
        os.close(descriptor)


def without(folders: Iterable[str], hidden: Iterable[str]) -> Mapping[str, int]:
    """Rights to read `folders`, but of the files in the folders `hidden` not one, by whatever name.

    Landlock cannot take away what it gave higher up: a folder that holds a hidden one is opened entry by entry, and of
    itself only the names of what is below it are left. Paths are compared as they really are, and links are left out:
    a right is one to what a link leads to (`lib64` of a virtual environment leads to its `lib`).
    """
    covered = [os.path.realpath(one) for one in hidden]
    rights: dict[str, int] = {}
    waiting = [os.path.realpath(folder) for folder in folders]
    while waiting:
        folder = waiting.pop()
        if folder in covered:
            continue
        if not any(one.startswith(folder.rstrip("/") + "/") for one in covered):
            rights[folder] = READ
            continue
        rights[folder] = READ_DIR
        with contextlib.suppress(PermissionError), os.scandir(folder) as entries:
            waiting += [entry.path for entry in entries if not entry.is_symlink()]
    return rights


def _checked(returned: int, what: str) -> int:
    if returned < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return returned
