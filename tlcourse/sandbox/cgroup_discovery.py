"""In which folders of the control groups' file system a group of ours may be made.

A group may lie below the one that this process is in, or, in version 2, beside it; never so far up that a run left a
limit that somebody has set for this process: a job of Slurm's, a container, a service.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_LIMITS = ("memory.max", "memory.high", "cpu.max")
_DELEGATED = ("user.delegate", "trusted.delegate")
"""What systemd marks a group with that it leaves to who lives in it."""


class Files(Struct, frozen=True):
    """What one version calls its files."""

    version: int
    limit: str
    swap: str
    peak: str
    events: str


V1 = Files(1, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control")
V2 = Files(2, "memory.max", "memory.swap.max", "memory.peak", "memory.events")


def places(root: Path = _ROOT, own: Path = _OWN) -> Iterator[tuple[Path, Files]]:
    """Folders in which a group of ours may be made, the nearest first."""
    if sys.platform != "linux":
        return
    try:
        lines = [line.split(":", 2) for line in own.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return
    for number, controllers, path in lines:
        if number == "0" and (root / "cgroup.controllers").exists():
            for folder in _delegated(root, root / path.lstrip("/")):
                if _passes_memory_on(folder) and os.access(folder, os.W_OK):
                    yield folder, V2
        elif "memory" in controllers.split(","):
            folder = root / "memory" / path.lstrip("/")
            if not folder.exists():  # in a container: the path is the host's, and the mount's top is ours
                folder = root / "memory"
            if os.access(folder, os.W_OK) and (folder / V1.limit).exists():
                yield folder, V1


def _delegated(root: Path, here: Path) -> Iterator[Path]:
    """The groups from `here` upwards that were left to this user, up to the first that has a limit of its own.

    A group that holds processes passes no controller on, so that one that does is further up.
    """
    folders = [folder for folder in [here, *here.parents] if folder.is_relative_to(root)]
    if os.geteuid() == 0:  # may write everywhere, which says nothing
        tops = [number for number, folder in enumerate(folders) if _was_left_to_us(folder, root)]
        folders = folders[: tops[-1] + 1] if tops else []
    for folder in folders:
        yield folder
        if any(_is_finite(folder / name) for name in _LIMITS):
            return


def _was_left_to_us(folder: Path, root: Path) -> bool:
    """Marked by systemd, or the top of a container's own view: a machine's real root has no `cgroup.type`."""
    for name in _DELEGATED:
        with contextlib.suppress(OSError):
            if os.getxattr(folder, name) == b"1":
                return True
    return folder == root and (folder / "cgroup.type").exists()


def _is_finite(file: Path) -> bool:
    with contextlib.suppress(OSError):
        return not file.read_text(encoding="ascii").startswith("max")
    return False


def _passes_memory_on(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return "memory" in (folder / "cgroup.subtree_control").read_text(encoding="ascii").split()
    return False
