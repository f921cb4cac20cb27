"""Processes that give way: what trains shall not keep a key waiting, nor anything else that a person does."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NICE = 10
"""Of a process: a tenth of a core beside another process that wants it, all of it on an idle machine."""
SESSION = 5
"""Of a session: a quarter. A key finds the core free enough, and on a busy machine a lab still gets on."""


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
            Path(f"/proc/{pid}/autogroup").write_text(str(SESSION), encoding="ascii")
