"""Which sandbox stands around the submissions of a batch: a strong one, or none at all where the staff trusts them."""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlcourse.errors import InfraError, UnableError
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.execution.supervise import run as supervise
from tlcourse.grading.batch.backend import TRUST, OpenBackend
from tlcourse.grading.grade import OnEvent
from tlcourse.sandbox.base import Process, Sandbox, Start
from tlcourse.sandbox.choose import choose, findings

if TYPE_CHECKING:
    from tlcourse.execution.pool import Pool


@contextlib.contextmanager
def on_this_machine(sandbox_kind: str, jobs: int, *, trusted: bool) -> Iterator[OpenBackend]:
    """`auto`: fork-server, else bubblewrap. Raises UnableError where there is none, unless hand-ins are trusted."""
    with _started_pool(sandbox_kind, jobs) as pool:
        name, notice = _name(sandbox_kind, trusted=trusted)
        if name == "fork-server" and pool is not None:
            yield OpenBackend(name, notice, pool.run, pool.close)
            return
    sandbox = _Stoppable(choose(name)[0])

    def run(job: RunSpec, tell: OnEvent) -> RunReport:
        return supervise(job, sandbox, tell)

    try:
        yield OpenBackend(name, notice, run, sandbox.stop)
    finally:
        sandbox.stop()


@contextlib.contextmanager
def _started_pool(sandbox_kind: str, jobs: int) -> Iterator[Pool | None]:
    """A pool whose parents begin to import torch at once, side by side, while the sandbox is still being tried."""
    if sandbox_kind not in ("auto", "fork-server") or sys.platform != "linux":
        yield None
        return
    from tlcourse.execution.pool import Pool
    from tlcourse.sandbox import bubblewrap
    from tlcourse.sandbox.fork_server import ForkServerSandbox, shared

    if not bubblewrap.probe().available:
        yield None
        return
    # the parent on which the sandbox is tried has imported torch then: it serves the first worker
    sandboxes = itertools.chain([shared()], iter(ForkServerSandbox, None))
    with Pool(jobs, sandbox=lambda: next(sandboxes)) as pool:
        threading.Thread(target=_prewarm, args=(pool,), name="tlcourse-prewarm-all", daemon=True).start()
        yield pool


def _prewarm(pool: Pool) -> None:
    with contextlib.suppress(UnableError, InfraError):  # the trial says it, or the first run does
        pool.prewarm()


def _name(sandbox_kind: str, *, trusted: bool) -> tuple[str, str]:
    if sandbox_kind == "none":
        if trusted:
            return "none", ""
        raise UnableError(
            "A batch does not run without a sandbox.",
            cause="a submission could read the labels' source and other submissions, and use the network.",
            remedy=f"leave out --sandbox – or, for code that you would run as your own, add {TRUST}.",
        )
    found = {finding.name: finding for finding in findings()}
    wanted = ["fork-server", "bubblewrap"] if sandbox_kind == "auto" else [sandbox_kind]
    for name in wanted:
        if found[name].available:
            slower = f"Each run starts in bubblewrap, which takes seconds: {found['fork-server'].detail}"
            return name, "" if name == wanted[0] else slower
    if trusted and sandbox_kind == "auto":
        return "none", ""
    missing = found[wanted[-1]]
    raise UnableError(
        f"A batch needs a strong sandbox around each submission, and this machine builds none: {missing.detail}.",
        cause="the sandbox needs Linux, bubblewrap and user namespaces.",
        remedy=f"{missing.remedy or 'tlcourse doctor'} – or, for code that you would run as your own, add {TRUST}.",
    )


class _Stoppable:
    """A sandbox that can end everything that it started."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.name = sandbox.name
        self._sandbox = sandbox
        self._lock = threading.Lock()
        self._running: list[Process] = []
        self._stopped = False

    def start(self, start: Start) -> Process:
        with self._lock:
            if self._stopped:
                raise InfraError("The batch was stopped.")
            process = self._sandbox.start(start)
            self._running = [one for one in self._running if one.poll() is None]
            self._running.append(process)
        return process

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._running:
                if process.poll() is None:
                    process.kill()
