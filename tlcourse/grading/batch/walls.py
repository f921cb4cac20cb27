"""Which wall stands around the submissions of a batch: a strong one, or none at all where the staff trusts them."""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlcourse.errors import InfraError, UnableError
from tlcourse.execution.job import Job, RunReport
from tlcourse.execution.supervise import run as supervise
from tlcourse.execution.walls.choose import choose, findings
from tlcourse.execution.walls.wall import Process, Start, Wall
from tlcourse.grading.attempt import OnEvent
from tlcourse.grading.batch.place import Place

if TYPE_CHECKING:
    from tlcourse.execution.pool import Pool

TRUST = "--i-trust-these-submissions"


@contextlib.contextmanager
def place_for(isolation: str, jobs: int, *, trusted: bool) -> Iterator[Place]:
    """`auto`: warm, else cold. Raises UnableError where there is no wall, unless the submissions are trusted."""
    with _warming(isolation, jobs) as pool:
        name, notice = _name(isolation, trusted=trusted)
        if name == "warm" and pool is not None:
            yield Place(name, notice, pool.run, pool.close)
            return
    wall = _Stoppable(choose(name)[0])

    def run(job: Job, tell: OnEvent) -> RunReport:
        return supervise(job, wall, tell)

    try:
        yield Place(name, notice, run, wall.stop)
    finally:
        wall.stop()


@contextlib.contextmanager
def _warming(isolation: str, jobs: int) -> Iterator[Pool | None]:
    """A pool whose parents begin to import torch at once, side by side, while the wall is still being tried."""
    if isolation not in ("auto", "warm") or sys.platform != "linux":
        yield None
        return
    from tlcourse.execution.pool import Pool
    from tlcourse.execution.walls import bubblewrap
    from tlcourse.execution.walls.warm import WarmWall, shared

    if not bubblewrap.probe().available:
        yield None
        return
    # the parent on which the wall is tried has imported torch then: it serves the first worker
    walls = itertools.chain([shared()], iter(WarmWall, None))
    with Pool(jobs, wall=lambda: next(walls)) as pool:
        threading.Thread(target=_warm, args=(pool,), name="tlcourse-warm-all", daemon=True).start()
        yield pool


def _warm(pool: Pool) -> None:
    with contextlib.suppress(UnableError, InfraError):  # the trial says it, or the first run does
        pool.warm()


def _name(isolation: str, *, trusted: bool) -> tuple[str, str]:
    if isolation == "none":
        if trusted:
            return "none", ""
        raise UnableError(
            "A batch does not run without a wall.",
            cause="a submission could read the labels' source and other submissions, and use the network.",
            remedy=f"leave --isolation away – or, for code that you would run as your own, add {TRUST}.",
        )
    found = {finding.name: finding for finding in findings()}
    wanted = ["warm", "cold"] if isolation == "auto" else [isolation]
    for name in wanted:
        if found[name].available:
            return name, "" if name == wanted[
                0
            ] else f"Runs start cold, which takes seconds each: {found['warm'].detail}"
    if trusted and isolation == "auto":
        return "none", ""
    missing = found[wanted[-1]]
    raise UnableError(
        f"A batch needs a strong wall around each submission, and this machine builds none: {missing.detail}.",
        cause="the sandbox needs Linux, bubblewrap and user namespaces.",
        remedy=f"{missing.remedy or 'tlcourse doctor'} – or, for code that you would run as your own, add {TRUST}.",
    )


class _Stoppable:
    """A wall that can end everything that it started."""

    def __init__(self, wall: Wall) -> None:
        self.name = wall.name
        self._wall = wall
        self._lock = threading.Lock()
        self._running: list[Process] = []
        self._stopped = False

    def start(self, start: Start) -> Process:
        with self._lock:
            if self._stopped:
                raise InfraError("The batch was stopped.")
            process = self._wall.start(start)
            self._running = [one for one in self._running if one.poll() is None]
            self._running.append(process)
        return process

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._running:
                if process.poll() is None:
                    process.kill()
