"""A control group for each run: the kernel's own limit of memory, where this machine lets its user set one.

The watchdog of `process_tree.py` looks every 50 ms at what a run holds, and decides; its figure is the same everywhere.
The kernel's limit lies a tenth above it. It stops what is taken between two looks, and counts what nobody can look at
(page tables, pipes, sockets, files in memory). A group is made before its run; the run's first process is in it before
it runs anything foreign, and so is all that it starts. Version 2 where the group is delegated (systemd does it for a
user's own services), version 1 for root; elsewhere there is the watchdog alone. No other controller is asked for: that
of processes (`pids`) may be absent. Named as in the kernel's documentation (admin-guide/cgroup-v1/memory,
admin-guide/cgroup-v2).

A group may lie below the one that this process is in, or, in version 2, beside it; never so far up that a run left a
limit that somebody has set for this process: a job of Slurm's, a container, a service.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
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


SLACK = 1.1
_NAME = re.compile(r"^tlcourse-(\d+)-(\d+)-\d+\Z")
_REMOVAL_S = 10.0
_ENTER = 'echo $$ >"$0" || exit 125; exec "$@"'
_TRIAL_MB = 64
_numbers = itertools.count(1)
_live: set[str] = set()
"""Names of the groups of this process: whatever else bears its number was left behind."""


class Group:
    """One run's processes, and how much memory the kernel lets them have together."""

    def __init__(self, parent: Path, files: Files, limit_mb: float) -> None:
        """Make it. Raises OSError where that is not allowed."""
        self.folder, self._files = parent / f"tlcourse-{pid_namespace()}-{os.getpid()}-{next(_numbers)}", files
        _live.add(self.folder.name)
        try:
            self.folder.mkdir()
            size = str(int(limit_mb * SLACK * 2**20))
            (self.folder / files.limit).write_text(size, encoding="ascii")
            with contextlib.suppress(OSError):  # not where swap is not counted
                (self.folder / files.swap).write_text("0" if files.version == 2 else size, encoding="ascii")
            with contextlib.suppress(OSError):  # all of it ends, not a process that the kernel picks
                (self.folder / "memory.oom.group").write_text("1", encoding="ascii")
        except OSError:
            self.remove()
            raise

    def entering(self, env: Mapping[str, str]) -> list[str]:
        """A command prefix: the process enters the group, then becomes the command, whose environment is `env` alone.

        Where the group does not take it, it ends with status 125 and a line that says so.
        """
        variables = [f"{name}={value}" for name, value in env.items()]
        return ["/bin/sh", "-c", _ENTER, str(self.folder / "cgroup.procs"), "/usr/bin/env", "-i", *variables]

    def take(self, pid: int) -> None:
        """Move a process in, if it has not ended; what it starts afterwards is in it from its beginning.

        Raises OSError where the kernel does not allow that.
        """
        with contextlib.suppress(ProcessLookupError):
            (self.folder / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def members(self) -> list[int]:
        """Its processes, those of other PID namespaces aside."""
        with contextlib.suppress(OSError):
            found = (self.folder / "cgroup.procs").read_text(encoding="ascii").split()
            return [int(pid) for pid in found if pid != "0"]
        return []

    def has_killed(self) -> bool:
        """Whether the kernel has ended a process of it because the limit was reached."""
        with contextlib.suppress(OSError, ValueError):
            for line in (self.folder / self._files.events).read_text(encoding="ascii").splitlines():
                name, _, number = line.partition(" ")
                if name == "oom_kill":
                    return int(number) > 0
        return False

    def peak_mb(self) -> float:
        """The most that it has held, in MB; where this kernel does not keep that, its limit."""
        for name in (self._files.peak, self._files.limit):
            with contextlib.suppress(OSError, ValueError):
                return int((self.folder / name).read_text(encoding="ascii")) / 2**20
        return 0.0

    def cpu_s(self) -> float:
        """Processor time of all that ever was in it; 0 in version 1, where another controller counts that."""
        with contextlib.suppress(OSError, ValueError):
            for line in (self.folder / "cpu.stat").read_text(encoding="ascii").splitlines():
                name, _, number = line.partition(" ")
                if name == "usage_usec":
                    return int(number) / 1e6
        return 0.0

    def kill(self) -> None:
        """SIGKILL to whatever is in it, whoever its parent is by now."""
        with contextlib.suppress(OSError):  # version 2, since Linux 5.14
            descriptor = os.open(self.folder / "cgroup.kill", os.O_WRONLY)
            try:
                os.write(descriptor, b"1")
            finally:
                os.close(descriptor)
            return
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def remove(self) -> None:
        """End what is in it, and remove it when it is empty; what stays in spite of that is swept by a later run."""
        until = time.monotonic() + _REMOVAL_S
        pause = 0.001
        while _is_busy(self.folder) and time.monotonic() < until:
            self.kill()
            time.sleep(pause)
            pause = min(pause * 2, 0.02)
        _live.discard(self.folder.name)


def group_for(limit_mb: float) -> Group | None:
    """A new group that holds `limit_mb` and a tenth; None where this user may make none that takes a process."""
    for parent, files in places():
        _sweep(parent)
        if not why_none(parent, files):
            with contextlib.suppress(OSError):
                return Group(parent, files, limit_mb)
    return None


def in_words() -> str:
    """How memory is limited here, for `doctor`: a group is made, and a process moved into it."""
    faults = []
    for parent, files in places():
        if not (fault := why_none(parent, files)):
            return f"a watchdog, and the kernel a tenth above it (control groups, version {files.version})"
        faults.append(fault)
    return f"a watchdog; {faults[0] if faults else 'no control group may be made here'}"


@functools.cache
def why_none(parent: Path, files: Files) -> str:
    """Why a group in `parent` is of no use; "" where it is. It is tried, once a process, with a process of no value."""
    try:
        group = Group(parent, files, _TRIAL_MB)
    except OSError as error:
        return f"no control group can be made here ({error.strerror})"
    try:
        with subprocess.Popen(["/bin/sleep", "60"], stdin=subprocess.DEVNULL) as process:
            try:
                group.take(process.pid)
                inside = group.folder.name in Path(f"/proc/{process.pid}/cgroup").read_text(encoding="utf-8")
            finally:
                process.kill()
        return "" if inside else "a control group can be made here, but no process comes into it"
    except OSError as error:
        return f"a control group can be made here, but takes no process ({error.strerror})"
    finally:
        group.remove()


def _is_busy(folder: Path) -> bool:
    """Try to remove a group: whether that may succeed later."""
    try:
        folder.rmdir()
    except OSError as error:
        return error.errno == errno.EBUSY  # also for a moment after the last process has ended
    return False


def _sweep(parent: Path) -> None:
    """Remove the empty groups of graders that were killed, and those of this process that it could not remove.

    Only where the number in the name is of this process's PID namespace: the same number elsewhere may be alive.
    """
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            match = _NAME.match(entry.name)
            if match and int(match[1]) == pid_namespace() and not _is_in_use(entry.name, int(match[2])):
                _is_busy(Path(entry.path))


def _is_in_use(name: str, pid: int) -> bool:
    return name in _live if pid == os.getpid() else psutil.pid_exists(pid)


def pid_namespace() -> int:
    """Which PID namespace this process's numbers are of."""
    return Path("/proc/self/ns/pid").stat().st_ino
