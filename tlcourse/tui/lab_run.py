"""A lab that runs behind its screen: a process of its own, stopped with all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from tlcourse.execution.priority import give_way


class LabRun:
    """One `tlcourse lab run --events`."""

    def __init__(self, lab: str, settings: Mapping[str, str], seeds: int, course: Path | None) -> None:
        self._command = [sys.executable, "-m", "tlcourse", "lab", "run", lab, "--events", "--seeds", str(seeds)]
        for name, value in settings.items():
            self._command += ["--set", f"{name}={value}"]
        if course is not None:
            self._command += ["--course", str(course)]
        self._process: asyncio.subprocess.Process | None = None
        self.stopped = False

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Its events as they come; the last one is a `result`, an `error`, or nothing where it was stopped."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            limit=1 << 22,
        )
        give_way(self._process.pid, session=True)
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                with contextlib.suppress(ValueError):
                    yield json.loads(line)
            await self._process.wait()
        finally:
            self.stop()

    def stop(self) -> None:
        """End it and its children at once; a lab has nothing to lose."""
        process = self._process
        if process is not None and process.returncode is None:
            self.stopped = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
