"""Warm workers for a batch: each has a parent of its own that imported torch, and serves one submission at a time."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tlcourse.errors import InfraError, UnableError
from tlcourse.execution.job import Job, RunReport
from tlcourse.execution.supervise import run as supervise
from tlcourse.execution.walls.choose import choose, uses_gpu

if TYPE_CHECKING:
    from tlcourse.execution.walls.warm import WarmWall

OnEvent = Callable[[dict[str, Any]], None]


def cores() -> int:
    """Cores that this process may use: fewer than the machine has, in a Slurm job or a container."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class Pool:
    """`with Pool(workers=2) as pool: report = pool.run(job, on_event)`, from as many threads as one likes.

    A worker starts when it is first needed, and gets a new parent when that has died, grown, or served its share.
    Jobs should ask for one thread: as many run side by side as there are workers.
    """

    def __init__(self, workers: int | None = None, *, wall: Callable[[], WarmWall] | None = None) -> None:
        """`workers`: cores by default. `wall` makes a worker's wall, for other bounds than the usual ones.

        Raises UnableError on a system that has no warm wall.
        """
        if sys.platform != "linux":
            raise UnableError(f"Warm workers run on Linux, this is {sys.platform}.", remedy="use --isolation none")
        from tlcourse.execution.walls.warm import WarmWall

        self.workers = workers or cores()
        self._walls = [(wall or WarmWall)() for _ in range(self.workers)]
        self._free: queue.LifoQueue[WarmWall] = queue.LifoQueue()  # the last one used is warm
        self._closed = False
        self._gpu = threading.Lock()
        for each in self._walls:
            self._free.put(each)

    def warm(self) -> None:
        """Start every worker's parent now, side by side; raises UnableError."""
        failures: list[Exception] = []

        def start(wall: WarmWall) -> None:
            try:
                wall.warm()
            except (UnableError, InfraError) as error:
                failures.append(error)

        threads = [threading.Thread(target=start, args=(wall,), name="tlcourse-warm") for wall in self._walls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def run(self, job: Job, on_event: OnEvent = lambda _: None) -> RunReport:
        """Run a job when a worker is free; raises UnableError and InfraError where no worker can be had.

        A job for a GPU runs cold, one at a time. So does, once more and alone in its sandbox, a run whose parent was
        killed under it: whether that was its own doing shows there. The report's `wall` says which it was.
        """
        if uses_gpu(job.brief.device):
            with self._gpu:
                return self._cold(job, on_event, "a run on a GPU starts cold")
        wall = self._free.get()
        try:
            if self._closed:
                raise InfraError("The pool was closed.")
            report = supervise(job, wall, on_event)
            if report.ending == "infra" and not self._closed:
                wall.recycle()
        finally:
            self._free.put(wall)
        if report.ending == "infra" and not self._closed:
            return self._cold(job, on_event, f"{report.message}; it runs once more, behind a wall of its own")
        return report

    def _cold(self, job: Job, on_event: OnEvent, why: str) -> RunReport:
        wall, _ = choose("cold")
        on_event({"v": 1, "type": "log", "text": f"[{why}]\n"})
        return supervise(job, wall, on_event)

    def close(self) -> None:
        """End every worker; runs that are under way end as `infra`."""
        self._closed = True
        for wall in self._walls:
            wall.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
