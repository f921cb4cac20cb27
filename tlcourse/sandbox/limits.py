"""The limits of a run: what the kernel keeps for each process, and which limit the whole tree has passed."""

from __future__ import annotations

from typing import Literal

from tlcourse.course.spec import Limits
from tlcourse.sandbox.process_tree import Used

Passed = Literal["timeout", "memory", "output"]
"""How a run ends that has passed a limit."""
OPEN_FILES = 4096
"""Descriptors of one process."""
PENDING = 1024
"""Timers and signals that wait, of the user that a run has: the kernel's table of them is the same for all runs."""
MAX_FILES = 20_000
"""Files in a run's scratch: an empty one takes a kilobyte of the kernel's memory, which nothing else counts."""


def rlimits(limits: Limits) -> dict[str, int]:
    """The limits of each process: name as in setrlimit(2), soft and hard value. Those of the tree are the supervisor's.

    CPU time has some seconds more than the whole tree may use, so that the supervisor is the one who says why.
    """
    return {
        "RLIMIT_NPROC": limits.processes,
        "RLIMIT_FSIZE": limits.scratch_mb * 2**20,
        "RLIMIT_CPU": int(limits.cpu_s) + 5,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": OPEN_FILES,
        "RLIMIT_SIGPENDING": PENDING,
    }


def exceeded(used: Used, limits: Limits, wall_time_s: float) -> tuple[Passed, str] | None:
    """How a run that used this much must end, and what it used and was allowed; None where it may go on."""
    if wall_time_s > limits.wall_time_s:
        return "timeout", f"stopped after {wall_time_s:.0f} s; {limits.wall_time_s:.0f} s are allowed"
    if used.cpu_s > limits.cpu_s:
        return "timeout", f"used {used.cpu_s:.0f} s of CPU; {limits.cpu_s:.0f} s are allowed"
    if used.memory_mb > limits.memory_mb:
        return out_of_memory(used.memory_mb, limits)
    if used.disk_mb > limits.scratch_mb:
        return "output", f"wrote {used.disk_mb:.0f} MB to its scratch folder; {limits.scratch_mb} MB are allowed"
    if used.hidden:
        return "output", "made folders in its scratch folder that are too deep, or cannot be read"
    if used.files > MAX_FILES:
        return "output", f"made {used.files} files in its scratch folders; {MAX_FILES} files are allowed"
    return None


def out_of_memory(used_mb: float, limits: Limits) -> tuple[Passed, str]:
    """How a run ends that held more than it may."""
    return "memory", f"used {used_mb:.0f} MB of memory; {limits.memory_mb} MB are allowed"


def limit_behind(message: str, limits: Limits) -> str:
    """The limit that an error's `message` speaks of, as a clause with its figure; empty where it speaks of none.

    The kernel refuses a file, a thread or a page, Python raises, and the student reads "Resource temporarily
    unavailable". What the error says is the submission's word: it decides nothing, and only adds a clause for its
    author.
    """
    said = message.lower()
    if "no space left on device" in said:
        return f"its scratch folders were full: {limits.scratch_mb} MB are allowed in each of /tmp and /dev/shm"
    if "file too large" in said:
        return f"a single file may take {limits.scratch_mb} MB"
    if "too many open files" in said:
        return f"a process may hold {OPEN_FILES} files open"
    if "can't start new thread" in said or "resource temporarily unavailable" in said:
        return f"{limits.processes} processes and threads are allowed together"
    return ""
