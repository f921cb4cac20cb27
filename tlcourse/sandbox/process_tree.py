"""A process and all that it started: what they use, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import psutil
from msgspec import Struct

from tlcourse.sandbox.base import Process
from tlcourse.sandbox.cgroup import Group
from tlcourse.sandbox.tmpfs_usage import ScratchUsage, held_by, kernel_mb, on_disk

_MB = 2**20
_RESCAN_S = 0.2
_EXACT_S = 2.0
# What the measuring may cost: a scan of /proc takes a millisecond on a laptop and ten on a busy server, and the
# proportional size of a process with torch takes eight.
_SHARE = 0.03
_SHARE_AFTER_FORKS = 0.2


class Used(Struct, frozen=True):
    """CPU seconds and megabytes of a whole tree; files in its scratch, and megabytes of them where that is on disk."""

    cpu_s: float = 0.0
    memory_mb: float = 0.0
    files: int = 0
    disk_mb: float = 0.0
    hidden: bool = False


class ProcessTree:
    """Measures and ends a process tree. In a sandbox its PID namespace keeps it whole; daemons cannot leave it.

    `forked`: its processes were forked from a fork server, and share pages with it that resident memory counts.
    `scratch_mb`: the size of the run's own /tmp and /dev/shm, whose pages count as memory. `folder`: where it has no
    such thing, the folder that it may write to. `group`: its control group, where there is one; it goes with the tree.
    """

    def __init__(
        self,
        pid: int,
        *,
        forked: bool = False,
        scratch_mb: int = 0,
        folder: Path | None = None,
        group: Group | None = None,
    ) -> None:
        self._pid = pid
        self._group = group
        self._killed = False
        self._forked = forked
        self._scratch_mb = scratch_mb
        self._folder = folder
        self._inside = 0
        self._on_disk = ScratchUsage()
        self._next_look = 0.0
        self._cpu: dict[tuple[int, float], float] = {}
        self._cpu_s = 0.0
        self._known: list[psutil.Process] = []
        self._next_scan = 0.0
        self._exact: tuple[float, float, tuple[int, ...]] | None = None
        self._soonest_exact = self._next_exact = 0.0
        self.last = Used()
        self.peak_mb = 0.0

    def measure(self, cap_mb: float = float("inf")) -> Used:
        """What the tree uses now; an estimate above `cap_mb` is made exact before it is given.

        Processor time is that of every process that was seen, or that of those that are there and of whom they waited
        for, which has what came and went between two looks. Memory is resident memory. Where processes share pages by
        forking, it is their proportional size, read now and then, and what their own memory grew by since.
        """
        processes = self._members()
        resident = private = alive = 0.0
        for process in processes:
            with contextlib.suppress(psutil.Error), process.oneshot():
                times = process.cpu_times()
                self._cpu[(process.pid, process.create_time())] = times.user + times.system
                alive += times.user + times.system + times.children_user + times.children_system
                memory = process.memory_info()
                resident += memory.rss / _MB
                private += (memory.rss - getattr(memory, "shared", 0)) / _MB
        self._cpu_s = max(self._cpu_s, alive, sum(self._cpu.values()), self._group.cpu_s() if self._group else 0.0)
        held = self._held(processes)
        beside = held.memory_mb + kernel_mb(process.pid for process in processes)
        sure = True
        if self._forked or (len(processes) > 3 and resident > 256):
            proportional, sure = self._proportional(processes, private, cap_mb - beside)
            resident = min(resident, proportional)
        resident += beside
        if self._group is not None and self._group.has_killed():
            resident = max(resident, self._group.peak_mb())
        self.last = Used(self._cpu_s, resident, held.files, held.disk_mb, held.hidden)
        if sure or resident > cap_mb:
            self.peak_mb = max(self.peak_mb, resident)
        return self.last

    @property
    def killed_for_memory(self) -> bool:
        """Whether the kernel had ended a process of it for its memory when the tree was killed."""
        return self._killed

    def _held(self, processes: list[psutil.Process]) -> ScratchUsage:
        """What no process maps; the process through which it was seen last is tried first."""
        if self._folder is not None:
            if (begin := time.monotonic()) >= self._next_look:
                self._on_disk = on_disk(self._folder, [one.pid for one in processes])
                end = time.monotonic()
                self._next_look = end + (end - begin) / _SHARE
            return self._on_disk
        self._inside, held = held_by([self._inside, *(one.pid for one in reversed(processes))], self._scratch_mb)
        return held

    def _proportional(self, processes: list[psutil.Process], private: float, cap_mb: float) -> tuple[float, bool]:
        """Proportional size, and whether it is of these processes: a fork just now seems to hold what it shares."""
        pids = tuple(process.pid for process in processes)
        if self._exact is not None:
            size, then, whose = self._exact
            due = self._next_exact if pids == whose else self._soonest_exact
            if (estimate := size + max(0.0, private - then)) <= cap_mb and time.monotonic() < due:
                return estimate, pids == whose
        begin = time.monotonic()
        exact = proportional_mb(pids)
        if exact is None:  # the kernel will not tell: resident memory, which says too much
            return float("inf"), True
        end = time.monotonic()
        self._exact = exact, private, pids
        self._soonest_exact = end + (end - begin) / _SHARE_AFTER_FORKS
        self._next_exact = end + max(_EXACT_S, (end - begin) / _SHARE)
        return exact, True

    def _members(self) -> list[psutil.Process]:
        """The tree's processes; those that were started a moment ago may be missing."""
        begin = time.monotonic()
        if begin >= self._next_scan:
            self._known = self._scan()
            end = time.monotonic()
            self._next_scan = end + max(_RESCAN_S, (end - begin) / _SHARE)
        return self._known

    def _scan(self) -> list[psutil.Process]:
        try:
            top = psutil.Process(self._pid)
            return [top, *top.children(recursive=True)]
        except psutil.Error:
            return []

    def ask(self, number: signal.Signals) -> bool:
        """Send a signal to the topmost process that has a handler for it, and to no other; whether there is one."""
        for member in self._scan():
            if _handles(member.pid, number):
                with contextlib.suppress(psutil.Error):
                    member.send_signal(number)
                    return True
        return False

    def kill(self, process: Process) -> None:
        """SIGKILL to the top process, its group and every member; returns when the top process is gone."""
        process.end_all()
        members = self._scan()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        for member in members:
            with contextlib.suppress(psutil.Error):
                member.kill()
        process.kill()
        if self._group is not None:
            self._group.kill()
        process.wait()
        psutil.wait_procs(members, timeout=5)
        if self._group is not None:
            self._killed = self._group.has_killed()
            if self._killed:
                self.peak_mb = max(self.peak_mb, self._group.peak_mb())
            self._group.remove()
            self._group = None


def _handles(pid: int, number: signal.Signals) -> bool:
    """Whether a process catches a signal, as /proc has it."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
        caught = int(status.split("\nSigCgt:")[1].split()[0], 16)
        return bool(caught >> (number - 1) & 1)
    return False


def proportional_mb(pids: Iterable[int]) -> float | None:
    """Proportional set size of all in MB, or None where the kernel will not tell."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except (ProcessLookupError, FileNotFoundError):
            continue
        except OSError:
            return None
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024
