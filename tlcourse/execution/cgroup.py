"""A control group for each run: the kernel's own limit of memory, where this machine lets its user set one.

The watchdog of `tree` looks every 50 ms at what a run holds, and decides; its figure is the same on every machine. The
kernel's limit lies a tenth above it. It stops what is taken between two looks, and counts what nobody can look at (page
tables, pipes, sockets, files in memory). Version 2 where the group is delegated (systemd does it for a user's own
services), version 1 for root; elsewhere there is the watchdog alone. Named as in the kernel's documentation
(admin-guide/cgroup-v1/memory, admin-guide/cgroup-v2).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
from msgspec import Struct

SLACK = 1.1
_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_NAME = re.compile(r"^tlcourse-(\d+)-\d+$")
_REMOVAL_S = 0.05
_numbers = itertools.count(1)


class Files(Struct, frozen=True):
    """What one version calls its files."""

    version: int
    limit: str
    swap: str
    peak: str
    events: str


V1 = Files(1, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control")
V2 = Files(2, "memory.max", "memory.swap.max", "memory.peak", "memory.events")


class Group:
    """One run's processes, and how much memory the kernel lets them have together."""

    def __init__(self, folder: Path, files: Files, limit_mb: float) -> None:
        """Make it. Raises OSError where that is not allowed."""
        self._folder, self._files, self._inside = folder, files, set[int]()
        folder.mkdir()
        try:
            size = str(int(limit_mb * SLACK * 2**20))
            (folder / files.limit).write_text(size, encoding="ascii")
            with contextlib.suppress(OSError):  # not where swap is not counted
                (folder / files.swap).write_text("0" if files.version == 2 else size, encoding="ascii")
            with contextlib.suppress(OSError):  # all of it ends, not a process that the kernel picks
                (folder / "memory.oom.group").write_text("1", encoding="ascii")
        except OSError:
            self.remove()
            raise

    def take(self, pids: Iterable[int]) -> None:
        """Move processes in; what they start afterwards is in it from its beginning."""
        for pid in pids:
            if pid not in self._inside:
                with contextlib.suppress(OSError):  # it has ended
                    (self._folder / "cgroup.procs").write_text(str(pid), encoding="ascii")
                    self._inside.add(pid)

    def has_killed(self) -> bool:
        """Whether the kernel has ended a process of it because the limit was reached."""
        with contextlib.suppress(OSError, ValueError):
            for line in (self._folder / self._files.events).read_text(encoding="ascii").splitlines():
                name, _, number = line.partition(" ")
                if name == "oom_kill":
                    return int(number) > 0
        return False

    def peak_mb(self) -> float:
        """The most that it has held, in MB; where this kernel does not keep that, its limit."""
        for name in (self._files.peak, self._files.limit):
            with contextlib.suppress(OSError, ValueError):
                return int((self._folder / name).read_text(encoding="ascii")) / 2**20
        return 0.0

    def remove(self) -> None:
        """Its processes are dead; what cannot be removed yet is swept by a later run."""
        until = time.monotonic() + _REMOVAL_S
        while True:
            try:
                self._folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                if time.monotonic() > until:
                    return
                time.sleep(0.002)
            else:
                return


def group_for(limit_mb: float) -> Group | None:
    """A new group that holds `limit_mb` and a tenth; None where this user may make none."""
    for parent, files in places():
        _sweep(parent)
        with contextlib.suppress(OSError):
            return Group(parent / f"tlcourse-{os.getpid()}-{next(_numbers)}", files, limit_mb)
    return None


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
            # A group that holds processes passes no controller on: one that does is further up, if it is delegated.
            here = root / path.lstrip("/")
            for folder in [here, *here.parents]:
                if folder.is_relative_to(root) and _passes_memory_on(folder) and os.access(folder, os.W_OK):
                    yield folder, V2
        elif "memory" in controllers.split(","):
            for folder in (root / "memory" / path.lstrip("/"), root / "memory"):  # the latter: seen from a container
                if os.access(folder, os.W_OK) and (folder / V1.limit).exists():
                    yield folder, V1


def in_words() -> str:
    """How memory is limited here, for `doctor`."""
    group = group_for(64)
    if group is None:
        return "a watchdog; no control group may be made here"
    group.remove()
    return f"a watchdog, and the kernel a tenth above it (control groups, version {group._files.version})"


def _passes_memory_on(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return "memory" in (folder / "cgroup.subtree_control").read_text(encoding="ascii").split()
    return False


def _sweep(parent: Path) -> None:
    """Remove the groups of graders that were killed: the process whose number is in the name is gone."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            match = _NAME.match(entry.name)
            if match and not psutil.pid_exists(int(match[1])):
                with contextlib.suppress(OSError):  # something lives in it still
                    Path(entry.path).rmdir()
