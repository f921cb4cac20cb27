"""Limits that a submission meets as an error of its own: which one it was, and how much was allowed.

The kernel refuses a file, a thread or a page, Python raises, and the student reads "Resource temporarily unavailable".
What the error says is the submission's word: it decides nothing, and only adds a sentence for its author.
"""

from __future__ import annotations

from tlcourse.execution.job import Caps


def limit_behind(message: str, caps: Caps) -> str:
    """The limit that `message` speaks of, as a clause with its figure; empty where it speaks of none."""
    said = message.lower()
    if "no space left on device" in said:
        return f"its scratch folders were full: {caps.scratch_mb} MB are allowed in each of /tmp and /dev/shm"
    if "file too large" in said:
        return f"a single file may take {caps.scratch_mb} MB"
    if "too many open files" in said:
        return "a process may hold 4096 files open"
    if "can't start new thread" in said or "resource temporarily unavailable" in said:
        return f"{caps.processes} processes and threads are allowed together"
    return ""
