"""What `tlcourse doctor` finds, asked for in a process of its own: torch is imported there, and walls are tried."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import msgspec

from tlcourse.execution.machine import MachineFinding

COLUMNS, ROWS = 80, 24
"""A terminal in which nothing is cut."""


class UnansweredError(Exception):
    """The doctor gave no findings; its text is what was said instead."""


async def examined() -> list[MachineFinding]:
    """All findings; raises UnansweredError. Whoever cancels this ends the process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tlcourse", "doctor", "--json"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        found, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    try:
        document: dict[str, Any] = json.loads(found)
        return msgspec.convert(document["findings"], list[MachineFinding])
    except (ValueError, KeyError, msgspec.ValidationError):
        raise UnansweredError(said.decode(errors="replace")[-500:]) from None


def terminal(columns: int, rows: int) -> MachineFinding:
    """The size of this terminal."""
    size = f"{columns}×{rows}"
    if columns >= COLUMNS and rows >= ROWS:
        return MachineFinding("terminal", True, size)
    remedy = f"enlarge the window, or: printf '\\e[8;{ROWS};{COLUMNS}t'"
    return MachineFinding("terminal", False, f"{size}; at {COLUMNS}×{ROWS} more is seen at once", remedy)
