"""A process that waits with torch imported, so that the next grading starts at once. The app itself imports nothing."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class StandBy:
    """`tlcourse stand-by`, for one run. Where it has gone there is none, and a run starts as it would without it."""

    def __init__(self) -> None:
        """Raises OSError when no process can be made."""
        self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
            [sys.executable, "-m", "tlcourse", "stand-by"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.pid = self._process.pid

    @property
    def waits(self) -> bool:
        """Whether it can be given a command; it may still be importing torch, which a run would have to do as well."""
        return self._process is not None and self._process.poll() is None

    def take(self, arguments: Sequence[str], file: Path) -> subprocess.Popen[bytes] | None:
        """Have it run `tlcourse ARGUMENTS`, its output in `file`; returns its process, or None where it has gone."""
        process, self._process = self._process, None
        if process is None:
            return None
        assert process.stdin is not None
        request = json.dumps({"file": str(file), "arguments": list(arguments)}).encode() + b"\n"
        try:
            with process.stdin as stream:
                stream.write(request)
        except OSError:
            process.kill()
            process.wait()
            return None
        return process

    def end(self, wait_s: float = 0.0) -> None:
        """Let it go, and its sandbox with it; waits for that no longer than `wait_s`."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        with contextlib.suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
