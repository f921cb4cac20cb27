"""A process and all that it started: what they use, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import psutil
from msgspec import Struct

_MB = 2**20


class Used(Struct, frozen=True):
    """CPU seconds and megabytes of a whole tree."""

    cpu_s: float = 0.0
    memory_mb: float = 0.0


class Tree:
    """Measures and ends a process tree. Behind a wall its PID namespace keeps it whole; daemons cannot leave it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu: dict[tuple[int, float], float] = {}
        self.last = Used()
        self.peak_mb = 0.0

    def measure(self) -> Used:
        """What the tree uses now. Memory is resident memory; shared pages are counted once where the kernel says so."""
        processes = self._members()
        resident = 0.0
        for process in processes:
            with contextlib.suppress(psutil.Error), process.oneshot():
                times = process.cpu_times()
                self._cpu[(process.pid, process.create_time())] = times.user + times.system
                resident += process.memory_info().rss / _MB
        if len(processes) > 3 and resident > 256:
            # forked children share pages with their parent, and RSS counts those for each of them
            resident = min(resident, _proportional(processes) or resident)
        self.last = Used(sum(self._cpu.values()), resident)
        self.peak_mb = max(self.peak_mb, resident)
        return self.last

    def _members(self) -> list[psutil.Process]:
        try:
            top = psutil.Process(self._pid)
            return [top, *top.children(recursive=True)]
        except psutil.Error:
            return []

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL to the top process, its group and every member; returns when the top process is gone."""
        members = self._members()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        for member in members:
            with contextlib.suppress(psutil.Error):
                member.kill()
        process.kill()
        process.wait()
        psutil.wait_procs(members, timeout=5)


def _proportional(processes: list[psutil.Process]) -> float | None:
    """Proportional set size of all in MB, or None where the kernel will not tell."""
    total = 0
    for process in processes:
        try:
            text = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
        except ProcessLookupError:
            continue
        except OSError:
            return None
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024
