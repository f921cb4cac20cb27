"""What `tlcourse doctor` finds, asked for in a process of its own: torch is imported there, and sandboxes are tried."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import IO, Any

import msgspec

from tlcourse.execution.machine import MachineFinding

_LOOK_S = 0.1
COLUMNS, ROWS = 80, 24
"""A terminal in which nothing is cut."""


class UnansweredError(Exception):
    """The doctor gave no findings; its text is what was said instead."""


async def examined() -> list[MachineFinding]:
    """All findings; raises UnansweredError. Whoever cancels this ends the process, and what it tries just then."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # asyncio's own is left running when it is cancelled while it starts
            [sys.executable, "-m", "tlcourse", "doctor", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                await asyncio.sleep(_LOOK_S)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return _findings(_read(out), _read(errors))


def _read(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _findings(answer: bytes, said: bytes) -> list[MachineFinding]:
    try:
        document: dict[str, Any] = json.loads(answer)
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
