"""Fork servers for a batch: each has a parent of its own that imported torch, and serves one submission at a time."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tlcourse.errors import InfraError, UnableError
from tlcourse.execution.gpu import uses_gpu
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.execution.supervise import run as supervise
from tlcourse.sandbox.choose import choose

if TYPE_CHECKING:
    from tlcourse.sandbox.fork_server import ForkServerSandbox

OnEvent = Callable[[dict[str, Any]], None]


def cores() -> int:
    """Cores that this process may use: fewer than the machine has, in a Slurm job or a container."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class Pool:
    """`with Pool(workers=2) as pool: report = pool.run(job, on_event)`, from as many threads as one likes.

    A worker starts when it is first needed, and gets a new parent when that has died, grown, or served its share.
    Jobs should ask for one thread: as many run side by side as there are workers.
    """

    def __init__(self, workers: int | None = None, *, sandbox: Callable[[], ForkServerSandbox] | None = None) -> None:
        """`workers`: cores by default. `sandbox` makes a worker's sandbox, for other bounds than the usual ones.

        Raises UnableError on a system that has no fork server.
        """
        if sys.platform != "linux":
            raise UnableError(f"Fork servers run on Linux, this is {sys.platform}.", remedy="use --sandbox none")
        from tlcourse.sandbox.fork_server import ForkServerSandbox

        self.workers = workers or cores()
        self.sandboxes = [(sandbox or ForkServerSandbox)() for _ in range(self.workers)]
        self._free: queue.LifoQueue[ForkServerSandbox] = queue.LifoQueue()  # the last one used has its pages in memory
        self._closed = False
        self._gpu = threading.Lock()
        for each in self.sandboxes:
            self._free.put(each)

    def prewarm(self) -> None:
        """Start every worker's parent now, side by side; raises UnableError."""
        failures: list[Exception] = []

        def start(sandbox: ForkServerSandbox) -> None:
            try:
                sandbox.prewarm()
            except (UnableError, InfraError) as error:
                failures.append(error)

        threads = [
            threading.Thread(target=start, args=(sandbox,), name="tlcourse-prewarm") for sandbox in self.sandboxes
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def run(self, job: RunSpec, on_event: OnEvent = lambda _: None) -> RunReport:
        """Run a job when a worker is free; raises UnableError and InfraError where no worker can be had.

        A job for a GPU runs in bubblewrap, one at a time. So does, once more and alone, a run whose parent was killed
        under it: whether that was its own doing shows there. The report's `sandbox` says which it was.
        """
        if uses_gpu(job.task_spec.device):
            with self._gpu:
                return self._in_a_sandbox_of_its_own(job, on_event, "a run on a GPU starts in a bubblewrap sandbox")
        sandbox = self._free.get()
        try:
            if self._closed:
                raise InfraError("The pool was closed.")
            report = supervise(job, sandbox, on_event)
            if report.status == "infra" and not self._closed:
                sandbox.recycle()
        finally:
            self._free.put(sandbox)
        if report.status == "infra" and not self._closed:
            return self._in_a_sandbox_of_its_own(
                job, on_event, f"{report.message}; it runs once more, in a sandbox of its own"
            )
        return report

    def _in_a_sandbox_of_its_own(self, job: RunSpec, on_event: OnEvent, why: str) -> RunReport:
        sandbox, _ = choose("bubblewrap")
        on_event({"v": 1, "type": "log", "text": f"[{why}]\n"})
        return supervise(job, sandbox, on_event)

    def close(self) -> None:
        """End every worker; runs that are under way end as `infra`."""
        self._closed = True
        for sandbox in self.sandboxes:
            sandbox.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
