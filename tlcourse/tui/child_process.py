"""A `tlcourse …` that the app starts: one way to start it, to read what it prints, and to end it.

Each leads a session of its own, so that ctrl-c in the terminal does not reach it, and all that it started can be killed
with it. Where it prints decides how long it lives: into a file it survives the app, and a later visit finds it again;
into a pipe it ends with the app, however the app ends. Nothing here holds up the event loop except `wait`, which is for
when there is none any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tlcourse.own_process import give_way, own_command, taken

_LOOK_S = 0.05
_GRACE_S = 2.0
"""What was asked to end has this long to end the processes that it started."""
_READ = 1 << 20
_ERRORS = 500
_log = logging.getLogger(__name__)
_killed: list[subprocess.Popen[bytes]] = []
"""Kept until they are gone, which nobody waits for."""


class ChildProcess:
    """One process, started here or by an earlier visit."""

    def __init__(self, process: subprocess.Popen[bytes] | None, pid: int, created_at: float, out: int) -> None:
        self.pid, self.created_at = pid, created_at
        """The number, and when its process was made: together they name one process for good."""
        self._process, self._rest = process, b""
        self._out, self._errors = self._kept(out), -1
        self.drained = False
        """Whether it has ended, and all that it printed was read."""

    def _kept(self, descriptor: int) -> int:
        """It is closed when this object goes."""
        weakref.finalize(self, os.close, descriptor)
        return descriptor

    @classmethod
    def start(
        cls,
        *arguments: str,
        out: Path | None = None,
        ends_with_app: bool = False,
        takes_input: bool = False,
        gives_way: bool = False,
        needs_secret: bool = False,
    ) -> ChildProcess:
        """Start `tlcourse ARGUMENTS`. Raises OSError where no process or no file can be made.

        Args:
            out: The file that gets all it prints, errors too; only its owner may read it. None: a file without a name.
            ends_with_app: It prints into a pipe instead, and ends at its next line once the app is gone.
            gives_way: Its session leaves the processor to the app and to whatever else a person does.
            needs_secret: It draws hidden data: where the staff's secret came in our environment, it gets it in its own.
            takes_input: It is told something later (`tell`), and sees the end of its input once the app is gone.
        """
        writing, reading = _pipe() if ends_with_app else _file(out)
        errors_to, errors = (os.dup(writing), -1) if out is not None else _file(None)
        try:
            process = subprocess.Popen(
                own_command("tlcourse", *arguments),
                stdin=subprocess.PIPE if takes_input else subprocess.DEVNULL,
                stdout=writing,
                stderr=errors_to,
                start_new_session=True,
                env={**os.environ, **taken} if needs_secret else None,
            )
        except OSError:
            for descriptor in (reading, errors):
                if descriptor >= 0:
                    os.close(descriptor)
            raise
        finally:
            os.close(writing)
            os.close(errors_to)
        _log.debug("started %s: tlcourse %s", process.pid, " ".join(arguments))
        if gives_way:
            give_way(process.pid, session=True)
        child = cls(process, process.pid, created(process.pid) or 0.0, reading)
        if errors >= 0:
            child._errors = child._kept(errors)
        return child

    @classmethod
    def found(cls, pid: int, created_at: float, out: Path) -> ChildProcess | None:
        """The process that an earlier visit left running, with what it has printed since its start; None: it is gone.

        A number that another process has got since does not count.
        """
        if created_at <= 0 or created(pid) != created_at:
            return None
        try:
            return cls(None, pid, created_at, os.open(out, os.O_RDONLY))
        except OSError:
            return None

    # -- what it does ----------------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether it is there."""
        if self._process is not None:
            return self._process.poll() is None
        return created(self.pid) == self.created_at

    def new_lines(self) -> list[bytes]:
        """The whole lines that it has printed since the last call; once it has ended, the unfinished last one too."""
        ended = not self.alive  # asked first: what it wrote before its end is then read below
        data = self._read()
        while ended and (more := self._read()):
            data += more
        self.drained = ended
        *whole, self._rest = (self._rest + data).split(b"\n")
        if self.drained and self._rest:
            whole, self._rest = [*whole, self._rest], b""
        return whole

    async def lines(self) -> AsyncIterator[bytes]:
        """Its lines as they come, until it has ended."""
        while not self.drained:
            lines = self.new_lines()
            for line in lines:
                yield line
            await asyncio.sleep(0 if lines else _LOOK_S)

    async def document(self) -> dict[str, Any] | None:
        """The JSON document that it prints; None where it prints none."""
        text = b"\n".join([line async for line in self.lines()])
        with contextlib.suppress(ValueError, RecursionError):
            document = json.loads(text)
            if isinstance(document, dict):
                return document
        return None

    def errors(self) -> str:
        """The end of what it wrote on its standard error."""
        return os.read(self._errors, _READ).decode(errors="replace")[-_ERRORS:] if self._errors >= 0 else ""

    def tell(self, line: bytes, out: Path | None = None) -> bool:
        """Give it its one line of input, after which it prints into `out`, if there is one; False where it has gone."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            with self._process.stdin as stream:
                stream.write(line + b"\n")
        except OSError:
            self.kill()
            return False
        if out is not None:
            self._out = self._kept(os.open(out, os.O_RDONLY))
        return True

    # -- its end ---------------------------------------------------------------------------------------------------

    def ask_to_end(self) -> None:
        """It ends what it started, and then itself; nothing is waited for."""
        _log.debug("asked %s to end", self.pid)
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        if self.alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it and its whole session by force."""
        if self.alive:
            _log.debug("killed %s", self.pid)
            if self._process is not None:
                _killed[:] = [*(process for process in _killed if process.poll() is None), self._process]
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    async def end(self, grace_s: float = _GRACE_S) -> None:
        """Ask it to end, and kill it where it is still there after `grace_s`."""
        self.ask_to_end()
        until = time.monotonic() + grace_s
        while self.alive and time.monotonic() < until:
            await asyncio.sleep(_LOOK_S)
        self.kill()
        while self.alive:
            await asyncio.sleep(_LOOK_S)

    def wait(self, seconds: float) -> bool:
        """Without an event loop: until it is gone, but no longer than this; whether it is."""
        until = time.monotonic() + seconds
        while self.alive and time.monotonic() < until:
            time.sleep(0.01)
        return not self.alive

    def _read(self) -> bytes:
        try:
            return os.read(self._out, _READ)
        except BlockingIOError:  # a pipe, and nothing in it yet
            return b""


class LabStandBy:
    """A process that has imported what labs need, and becomes the next `tlcourse lab run`."""

    def __init__(self) -> None:
        self._child: ChildProcess | None = None

    def get_ready(self) -> None:
        """Have one, which takes it some seconds."""
        if self._child is None or not self._child.alive:
            with contextlib.suppress(OSError):  # without it a run starts a few seconds later
                self._child = ChildProcess.start(
                    "prewarm", "--lab", ends_with_app=True, takes_input=True, gives_way=True
                )

    def run(self, *arguments: str) -> ChildProcess:
        """Run `tlcourse ARGUMENTS` in it, or in a new process. Raises OSError where there can be none."""
        child, self._child = self._child, None
        if child is not None and child.alive and child.tell(json.dumps(arguments).encode()):
            return child
        return ChildProcess.start(*arguments, ends_with_app=True, gives_way=True)

    def end(self) -> None:
        """It is not needed any more."""
        if self._child is not None:
            self._child.kill()


def created(pid: int) -> float | None:
    """When the process of this number was made, in seconds since 1970; None where there is none."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    return writing, reading


def _file(path: Path | None) -> tuple[int, int]:
    """A file to write into and to read from, each with a position of its own; without a path it has no name."""
    if path is not None:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), os.open(path, os.O_RDONLY)
    writing, name = tempfile.mkstemp(prefix="tlcourse-")
    reading = os.open(name, os.O_RDONLY)
    os.unlink(name)  # noqa: PTH108 - mkstemp gives a string
    return writing, reading
