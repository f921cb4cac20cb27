"""A fork server for a batch: one parent that has imported torch serves as many submissions at a time as are allowed."""

from __future__ import annotations

import os
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

    The parent starts when it is first needed, and is replaced when it has died, grown, or served its share. Jobs should
    ask for one thread: as many run side by side as there are workers.
    """

    def __init__(self, workers: int | None = None, *, sandbox: ForkServerSandbox | None = None) -> None:
        """`workers`: cores by default. `sandbox`: one that is there, or has other bounds than a new one; it ends too.

        Raises UnableError on a system that has no fork server.
        """
        if sys.platform != "linux":
            raise UnableError(f"Fork servers run on Linux, this is {sys.platform}.", remedy="use --sandbox none")
        from tlcourse.sandbox.fork_server import ForkServerSandbox

        self.workers = workers or cores()
        self.sandbox = sandbox or ForkServerSandbox()
        self._free = threading.Semaphore(self.workers)
        self._closed = False
        self._gpu = threading.Lock()

    def prewarm(self) -> None:
        """Start the parent now; raises UnableError."""
        self.sandbox.prewarm()

    def run(self, job: RunSpec, on_event: OnEvent = lambda _: None) -> RunReport:
        """Run a job when a worker is free; raises UnableError and InfraError where no worker can be had.

        A job for a GPU runs in bubblewrap, one at a time. So does, once more and alone, a run whose parent was killed
        under it: whether that was its own doing shows there. The report's `sandbox` says which it was.
        """
        if uses_gpu(job.task_spec.device):
            with self._gpu:
                return self._in_a_sandbox_of_its_own(job, on_event, "a run on a GPU starts in a bubblewrap sandbox")
        with self._free:
            if self._closed:
                raise InfraError("The pool was closed.")
            parent = self.sandbox.prewarm()
            report = supervise(job, self.sandbox, on_event)
            if report.status == "infra" and not self._closed:
                self.sandbox.recycle(parent)
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
        """End the parent; runs that are under way end as `infra`."""
        self._closed = True
        self.sandbox.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
