"""The *fork server*: a parent that has imported torch lives behind bubblewrap, and forks a child for each run.

What keeps a run from the machine is the outer sandbox, which is bubblewrap's; what keeps it from its siblings, the
namespaces that it enters by itself (`namespaces.py`).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from tlcourse.course.spec import Limits
from tlcourse.errors import InfraError, UnableError
from tlcourse.sandbox import bubblewrap
from tlcourse.sandbox.base import Finding, Start
from tlcourse.sandbox.fork_server_parent import ForkServerParent
from tlcourse.sandbox.fork_server_process import ForkServerProcess, StartError
from tlcourse.sandbox.view import refuse_what_is_private
from tlcourse.torch_install import command, missing

RUNS = 1000
"""Runs of one parent: nothing is known to wear out, and all wait some seconds for a new one."""
CREEP_MB = 128.0
_LOOK_EVERY = 16


class ForkServerSandbox:
    """One fork server at a time: started when it is first needed, replaced when it dies, grows, or has served enough.

    Thread-safe; runs are served side by side.
    """

    name = "fork-server"

    def __init__(self, *, runs: int = RUNS, creep_mb: float = CREEP_MB) -> None:
        self._runs = runs
        self._creep_mb = creep_mb
        self._lock = threading.RLock()
        self.server: ForkServerParent | None = None
        self._starting: ForkServerParent | None = None
        self._closed = False

    def prewarm(self) -> ForkServerParent:
        """Have a parent that can serve; raises UnableError. Takes seconds where there was none."""
        with self._lock:
            if self._closed:
                raise InfraError("The fork server was closed.")
            if self.server is not None and not self._is_fit(self.server):
                self.server.retire()
                self.server = None
            if self.server is None:
                refuse_what_is_private()
                try:
                    self.server = self._started()
                except OSError as error:
                    raise UnableError(
                        f"The fork server cannot be built: {error}.",
                        remedy="use --sandbox bubblewrap, or: tlcourse doctor",
                    ) from error
            return self.server

    def _started(self) -> ForkServerParent:
        self._starting = parent = ForkServerParent()
        try:
            if self._closed:  # since a moment ago, and unseen by `close`
                parent.give_up()
            parent.await_ready()
        finally:
            self._starting = None
        return parent

    def _is_fit(self, parent: ForkServerParent) -> bool:
        if not parent.is_alive() or parent.failed or parent.runs >= self._runs:
            return False  # failed: a folder that it shows may have been replaced since it began
        return parent.runs % _LOOK_EVERY != _LOOK_EVERY - 1 or parent.grown_mb() < self._creep_mb

    def start(self, start: Start) -> ForkServerProcess:
        """Start the worker as a child of the fork server; SIGKILL of it ends all that it started."""
        if start.gpu:
            raise UnableError("A fork server cannot touch a GPU.", remedy="use --sandbox bubblewrap")
        return self.start_program(start)

    def start_program(self, start: Start, program: Sequence[str] = ()) -> ForkServerProcess:
        parent = self._taken()
        try:
            return parent.start(start, program)
        except StartError:  # it died unseen: a new one, once
            self.recycle(parent)
        try:
            return self._taken().start(start, program)
        except StartError as error:
            raise InfraError(f"The fork server starts no child: {error}.") from error

    def _taken(self) -> ForkServerParent:
        """A parent that will serve one more run, however many it serves by now."""
        with self._lock:
            parent = self.prewarm()
            parent.take_one_more()
            return parent

    def recycle(self, parent: ForkServerParent | None) -> None:
        """The next run gets a new parent, unless another than `parent` is there already."""
        with self._lock:
            if self.server is not None and self.server is parent:
                self.server.retire()
                self.server = None

    def close(self) -> None:
        """End the parent and every run that it serves; one that is still importing is not waited for."""
        self._closed = True
        if (starting := self._starting) is not None:
            starting.give_up()
        with self._lock:
            if self.server is not None:
                self.server.close()
                self.server = None

    def __enter__(self) -> ForkServerSandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def shared() -> ForkServerSandbox:
    """This process's own fork server, for grading one submission after another; it ends with the process."""
    if _shared(os.getpid())._closed:  # a batch had it, and has ended
        _shared.cache_clear()
    return _shared(os.getpid())


@functools.cache
def _shared(process: int) -> ForkServerSandbox:
    sandbox = ForkServerSandbox()
    atexit.register(sandbox.close)
    return sandbox


def begin_early() -> None:
    """Let `shared` import torch from now on, beside whatever this process does until it needs it.

    Where no fork server can be built, nothing is said: that is for who needs it.
    """
    if sys.platform == "linux" and shutil.which("bwrap"):  # no trial of it: at an early end its folder is in the way
        threading.Thread(target=_begin, args=(shared(),), name="tlcourse-prewarm", daemon=True).start()


def _begin(sandbox: ForkServerSandbox) -> None:
    with contextlib.suppress(UnableError, InfraError, OSError, RuntimeError):  # the last: this process is ending
        sandbox.prewarm()


@functools.cache
def probe() -> Finding:
    """Whether a parent starts here, and a child of it in the inner namespaces: both are tried."""
    outer = bubblewrap.probe()
    if not outer.available:
        return Finding(ForkServerSandbox.name, False, outer.detail, outer.remedy)
    if said := missing():
        return Finding(ForkServerSandbox.name, False, f"its parent imports torch, and {said} not installed", command())
    try:
        return _try()
    except (OSError, InfraError, UnableError) as error:
        return Finding(
            ForkServerSandbox.name,
            False,
            str(error).splitlines()[0],
            "allow nested user namespaces (in a container: an unmasked /proc); bubblewrap works without them",
        )


def _try() -> Finding:
    with tempfile.TemporaryDirectory(prefix="tlcourse-probe-") as folder, contextlib.ExitStack() as stack:
        inputs, submission = Path(folder, "inputs"), Path(folder, "submission")
        inputs.mkdir()
        submission.mkdir()
        said = stack.enter_context(tempfile.TemporaryFile())
        nothing = stack.enter_context(open(os.devnull, "rb"))  # noqa: PTH123
        start = Start((), inputs, submission, Limits(), {}, (), nothing.fileno(), said.fileno())
        process = shared().start_program(start, ["/usr/bin/true"])
        if process.wait() == 0:
            return Finding(
                ForkServerSandbox.name, True, "one parent behind bubblewrap has imported torch; a fork for each run"
            )
        said.seek(0)
        lines = said.read().decode(errors="replace").strip().splitlines() or [process.fell or "no message"]
        raise OSError(f"a child of the fork server does not start: {lines[-1][:200]}")
