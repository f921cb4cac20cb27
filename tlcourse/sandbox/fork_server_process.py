"""One run of a fork server, as the supervisor holds it, and what the two say to each other over a unix socket.

The process is a `Popen` in all that a run needs; descriptors travel with the messages.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from tlcourse.sandbox.cgroup import Group

MAX_MESSAGE = 64 * 1024
SPOOL = "/spool"
"""Where the outer sandbox shows the folders of runs; a child keeps only its own."""
HERE, GO = b"here", b"go"
"""From a child's pid 1, which thereby shows its number; and back to it, when the supervisor holds on to that number."""
RUNNING = b"running"
"""From the worker, when all is made and the submission's own code comes next."""
STATUS = struct.Struct("=i")
"""The exit status, as `subprocess` gives it; sent last."""


SETUP_FAILED = 125
"""That status where no worker came to be: its folders or its sandboxes could not be made. A submission may end with
it, too: what tells the two apart is RUNNING."""


class Ready(Struct, frozen=True):
    """The first message of a fork server."""

    threads: int
    shared_writable: int
    """Mappings that a child could write and its siblings read; there must be none."""


class Request(Struct, frozen=True):
    """One run. With it come the descriptors: run socket, stdin, output, and those that the worker knows by number."""

    folder: str
    """Its name below SPOOL."""
    arguments: list[str]
    """The worker's, after INPUTS and SUBMISSION."""
    numbers: list[int]
    """What the last descriptors must be called in the worker."""
    env: Mapping[str, str]
    limits: Mapping[str, int]
    """Of each process, as in setrlimit(2)."""
    scratch_bytes: int
    program: list[str] = []
    """Run this in place of the worker: to try the sandbox."""


_CREDENTIALS = struct.Struct("=3i")
_START_S, _STATUS_S = 30.0, 10.0


class StartError(OSError):
    """The fork server did not bring a child forth."""


class ForkServerProcess:
    """A child's pid 1, held by a descriptor, so that its number can be nobody else's; and the socket of its monitor."""

    forked = True
    scratch: Path | None = None

    def __init__(self, run: socket.socket, on_end: Callable[[bool], str], group: Group | None = None) -> None:
        """`run`: this side of the run's socket, with SO_PASSCRED. `on_end` is called once, when nothing of the run is
        left, with whether a worker could not even be made; it returns why the parent cannot have seen the run through,
        or "". `group`: what pid 1 must be in before it goes on. Raises StartError."""
        self._run = run
        self._on_end = on_end
        self._killed = False
        self.fell = ""
        self.returncode: int | None = None
        try:
            self.pid = receive_pid(run, HERE, _START_S)
            self._pidfd = os.pidfd_open(self.pid)  # it waits for our word: its number cannot have gone to another
        except OSError as error:
            run.close()
            raise StartError(f"no child came of it: {error}") from error
        try:
            if group is not None:
                group.take(self.pid)
            run.send(GO)
        except OSError as error:
            run.close()
            os.close(self._pidfd)
            raise StartError(f"a child came of it that could not go on: {error}") from error

    def poll(self) -> int | None:
        """Its exit status, or None while it runs."""
        if self.returncode is None and _is_readable(self._pidfd, 0):
            self._collect()
        return self.returncode

    def wait(self) -> int:
        """Block until it has ended."""
        if self.returncode is None:
            _is_readable(self._pidfd, None)
            self._collect()
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """SIGKILL to pid 1: the kernel ends the whole PID namespace before it is gone."""
        if self.returncode is None:
            self._killed = True
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def end_all(self) -> None:
        """Nothing: killing it is enough."""

    def _collect(self) -> None:
        """The status that the monitor tells, and then the monitor's own end."""
        status, running = b"", False
        self._run.settimeout(_STATUS_S)
        with contextlib.suppress(OSError):
            while said := self._run.recv(len(RUNNING)):
                running, status = (True, status) if said == RUNNING else (running, said)
        self._run.close()
        os.close(self._pidfd)
        code: int = STATUS.unpack(status)[0] if len(status) == STATUS.size else -signal.SIGKILL
        why = self._on_end(code == SETUP_FAILED and not running)
        if not self._killed and code == -signal.SIGKILL:
            self.fell = why or ("" if status else "the end of this run went unseen: its monitor was killed")
        self.returncode = code


def credentials_wanted(end: socket.socket) -> socket.socket:
    """Have the kernel say, with each message at `end`, which process sent it, as this side numbers it."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    return end


def receive_pid(end: socket.socket, expected: bytes, timeout_s: float) -> int:
    """Who sent `expected`; raises OSError."""
    data, pid = receive(end, timeout_s)
    if data != expected:
        raise OSError(f"{expected!r} was to come, not {data[:40]!r}")
    return pid


def receive(end: socket.socket, timeout_s: float, size: int = 4096) -> tuple[bytes, int]:
    """One message and its sender's process number; raises OSError at the end, or when nothing comes in time."""
    end.settimeout(timeout_s)
    data, ancillary, _, _ = end.recvmsg(size, socket.CMSG_SPACE(_CREDENTIALS.size))
    end.settimeout(None)
    for level, kind, value in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS) and data:
            pid: int = _CREDENTIALS.unpack(value)[0]
            return data, pid
    raise ConnectionResetError("the other side has gone")


def _is_readable(descriptor: int, timeout_s: float | None) -> bool:
    poller = select.poll()  # not select(), which knows no descriptor above 1023
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(None if timeout_s is None else timeout_s * 1000))
