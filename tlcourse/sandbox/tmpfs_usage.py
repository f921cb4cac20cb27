"""What a run holds beside the memory of its processes: files, sockets and pipes with their buffers, tables of pages.

No process needs to map a file of a tmpfs, or to read a socket, for it to take memory; so both are looked at through the
namespaces of the run, from outside.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

_MB = 2**20
_SCRATCH = ("tmp", "dev/shm")
_MAX_DEPTH = 50
_ENOUGH = 100_000
"""Files after which nobody needs to count on: the limit is far below."""
_FREE_SOCKETS = 32
_SOCKET_MB = 1.0
"""What a socket beyond those is taken to hold: more than a pair's buffers by default, less than a TCP one's most."""
_FREE_DESCRIPTORS = 1024
_DESCRIPTOR_MB = 8 / 1024
"""What one beyond those is taken to hold: a pipe's two pages, the most that a user gets who has many."""


class ScratchUsage(Struct, frozen=True):
    """Megabytes and number of files in scratch, and sockets."""

    scratch_mb: float = 0.0
    files: int = 0
    sockets: int = 0
    disk_mb: float = 0.0
    """Of scratch that lies on a disk and takes no memory."""
    hidden: bool = False
    """Whether a part of scratch cannot be looked into."""

    @property
    def memory_mb(self) -> float:
        """What counts as memory. Pages of scratch that a process maps are counted there too: scratch is small."""
        return self.scratch_mb + max(0, self.sockets - _FREE_SOCKETS) * _SOCKET_MB


def kernel_mb(pids: Iterable[int]) -> float:
    """What the kernel holds for these processes: their tables of pages, and what is behind their descriptors."""
    tables_kb = descriptors = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/status").read_bytes().splitlines():
                if line.startswith(b"VmPTE:"):
                    tables_kb += int(line.split()[1])
            descriptors += os.stat(f"/proc/{pid}/fd").st_size  # noqa: PTH116 - their number; 0 before Linux 6.2
    return tables_kb / 1024 + max(0, descriptors - _FREE_DESCRIPTORS) * _DESCRIPTOR_MB


def held_by(pids: Iterable[int], scratch_mb: int) -> tuple[int, ScratchUsage]:
    """A process of `pids` that lives in a root of its own with scratch of that size, and what that root holds.

    (0, nothing) where there is none: a run without a sandbox, or one that has not reached its root yet.
    """
    for pid in pids:
        found = [_tmpfs(f"/proc/{pid}/root/{name}", scratch_mb) for name in _SCRATCH]
        if all(found):
            size, files = (sum(one[i] for one in found if one) for i in (0, 1))
            return pid, ScratchUsage(size / _MB, files, _sockets(pid))
    return 0, ScratchUsage()


def on_disk(folder: Path, pids: Iterable[int]) -> ScratchUsage:
    """What lies in a folder, and what the processes `pids` hold of files that were removed from it.

    A folder that cannot be looked into – too deep, its path too long, or without the right to read it – is `hidden`.
    """
    blocks: dict[int, int] = {}
    hidden = False
    folders = [(str(folder), 0)]
    while folders:
        current, depth = folders.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    info = entry.stat(follow_symlinks=False)
                    blocks[info.st_ino] = info.st_blocks
                    if entry.is_dir(follow_symlinks=False):
                        folders.append((entry.path, depth + 1))
        except FileNotFoundError:  # removed a moment ago
            continue
        except OSError:
            hidden = True
        hidden = hidden or depth > _MAX_DEPTH
        if hidden or len(blocks) > _ENOUGH:
            break
    with contextlib.suppress(OSError):
        device = folder.stat().st_dev
        for pid in pids:
            blocks.update(_removed_but_open(pid, device))
            for inode, size in _removed_but_mapped(pid, str(folder)).items():
                blocks[inode] = max(size, blocks.get(inode, 0))
    return ScratchUsage(files=len(blocks), disk_mb=sum(blocks.values()) * 512 / _MB, hidden=hidden)


def _removed_but_open(pid: int, device: int) -> dict[int, int]:
    """Blocks of the files that a process holds open, and that no folder holds any more."""
    found = {}
    with contextlib.suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208
            with contextlib.suppress(OSError):
                info = os.stat(f"/proc/{pid}/fd/{number}")  # noqa: PTH116
                if info.st_nlink == 0 and info.st_dev == device:
                    found[info.st_ino] = info.st_blocks
    return found


def _removed_but_mapped(pid: int, folder: str) -> dict[int, int]:
    """The same of files that a process has mapped, taken to be as large as the mapping."""
    found: dict[int, int] = {}
    try:
        maps = Path(f"/proc/{pid}/maps").read_bytes()
    except OSError:
        return found
    for line in maps.splitlines():
        if line.endswith(b" (deleted)") and os.fsencode(folder) in line:
            span, _, _, _, inode, _ = line.split(maxsplit=5)
            begin, end = (int(part, 16) for part in span.split(b"-"))
            found[int(inode)] = found.get(int(inode), 0) + (end - begin) // 512
    return found


def _tmpfs(folder: str, scratch_mb: int) -> tuple[int, int] | None:
    """Bytes and files in a tmpfs of exactly that size which is not one of ours."""
    try:
        info, device = os.statvfs(folder), Path(folder).stat().st_dev
    except OSError:
        return None
    if info.f_blocks * info.f_frsize != scratch_mb * _MB or device in _our_devices():
        return None
    return (info.f_blocks - info.f_bfree) * info.f_frsize, info.f_files - info.f_ffree


@functools.cache
def _our_devices() -> frozenset[int]:
    found = set()
    for name in _SCRATCH:
        with contextlib.suppress(OSError):
            found.add(Path("/", name).stat().st_dev)
    return frozenset(found)


def _sockets(pid: int) -> int:
    """Sockets of the network namespace that `pid` lives in, where it is not ours."""
    try:
        if os.readlink(f"/proc/{pid}/ns/net") == os.readlink("/proc/self/ns/net"):  # noqa: PTH115 - no path
            return 0
        first = Path(f"/proc/{pid}/net/sockstat").read_text(encoding="ascii").splitlines()[0]
        return int(first.split()[2])
    except (OSError, ValueError, IndexError):
        return 0
