"""Processes that give way: what trains shall not keep a key waiting, nor anything else that a person does."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NICE = 10
"""A tenth of a core beside something that wants one, all of it on an idle machine."""


def give_way(pid: int, *, session: bool = False) -> None:
    """Let a process that was just started give way; what it starts itself does so, too.

    Linux weighs sessions first and processes within one only then (`sched_autogroup_enabled`, on in most
    distributions): the nice value of a process means nothing to the terminal's next tab. `session`: the process leads
    one, which shall give way as a whole. Windows knows neither; there nothing changes.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, pid, max(NICE, os.getpriority(os.PRIO_PROCESS, pid)))
    if session:
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text(str(NICE), encoding="ascii")
