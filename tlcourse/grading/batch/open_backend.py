"""What the submissions of a batch run in, once it is open: the sandbox on this machine, an array of jobs, or a folder.

Here a strong sandbox stands around them, or none at all where the staff trusts them. On a cluster the runs go out as an
array of jobs, and what was sent is written down beside the gradebook.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tlcourse.cluster.jobs import Pace, pace_of
from tlcourse.cluster.packed import PackedFolder
from tlcourse.cluster.pool import SlurmPool
from tlcourse.cluster.profile import Profile
from tlcourse.errors import InfraError, UnableError, UsageError
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.execution.supervise import run as supervise
from tlcourse.grading.grade import OnEvent, Runner
from tlcourse.sandbox import KINDS, LANDLOCK_IN_A_BATCH
from tlcourse.sandbox.base import Process, Sandbox, Start
from tlcourse.sandbox.choose import choose, findings

if TYPE_CHECKING:
    from tlcourse.execution.pool import Pool

TRUST = "--i-trust-these-submissions"
RETRIES = 2
"""How often a submission is tried again after an internal error, before the batch ends without a verdict on it."""
_GATHER_S = 3.0
_ON_A_NODE = {kind: kind for kind in KINDS} | {"auto": "strong"}


class BackendLostError(InfraError):
    """Nothing more can run, such as where a cluster's work folder is full: the batch stops, and can be resumed."""


class BackendRefusedError(UsageError):
    """A cluster takes no job such as its profile asks for: the batch stops, and can be resumed when that is fixed."""


class OpenBackend:
    """What the engine runs submissions with; `stop` ends those under way or, on a cluster, leaves them running."""

    def __init__(
        self,
        sandbox: str,
        notice: str,
        run: Runner,
        stop: Callable[[], None],
        *,
        retries: int = RETRIES,
        queue_words: Callable[[], str] = lambda: "",
    ) -> None:
        """`notice` says why the sandbox is not the quickest one; empty where it is, or where it was asked for.

        `queue_words` is the state of the cluster's queue. `retries`: further tries after an internal error; none where
        the cluster has its own budget of them.
        """
        self.sandbox = sandbox
        self.notice = notice
        self.run = run
        self.stop = stop
        self.retries = retries
        self.queue_words = queue_words


@contextlib.contextmanager
def on_this_machine(sandbox_kind: str, jobs: int, *, trusted: bool) -> Iterator[OpenBackend]:
    """`auto`: fork-server, else bubblewrap. Raises UnableError where there is none, unless hand-ins are trusted."""
    with started_pool(sandbox_kind, jobs) as pool:
        name, notice = _name(sandbox_kind, trusted=trusted)
        if name == "fork-server" and pool is not None:
            yield OpenBackend(name, notice, pool.run, pool.close)
            return
    sandbox = Stoppable(choose(name)[0])

    def run(job: RunSpec, tell: OnEvent) -> RunReport:
        return supervise(job, sandbox, tell)

    try:
        yield OpenBackend(name, notice, run, sandbox.stop)
    finally:
        sandbox.stop()


@contextlib.contextmanager
def started_pool(sandbox_kind: str, jobs: int) -> Iterator[Pool | None]:
    """A pool whose parent imports torch while the sandbox is still being tried – on that parent, which then serves."""
    if sandbox_kind not in ("auto", "fork-server") or sys.platform != "linux":
        yield None
        return
    from tlcourse.execution.pool import Pool
    from tlcourse.sandbox import bubblewrap
    from tlcourse.sandbox.fork_server import shared

    if not bubblewrap.probe().available:
        yield None
        return
    with Pool(jobs, sandbox=shared()) as pool:
        yield pool


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
            if name == "landlock":
                return name, LANDLOCK_IN_A_BATCH
            slower = f"Each run starts in bubblewrap, which takes seconds: {found['fork-server'].detail}"
            return name, "" if name == wanted[0] else slower
    if trusted and sandbox_kind == "auto":
        return "none", ""
    missing = found[wanted[-1]]
    ways = [missing.remedy or "tlcourse doctor"]
    weaker = found.get("landlock")  # of a system that has no such thing nothing is found
    ways += ["decide for the weaker --sandbox landlock"] if weaker and weaker.available else []
    ways += [f"for code that you would run as your own, add {TRUST}"] if found["none"].available else []
    raise UnableError(
        f"A batch needs a strong sandbox around each submission, and this machine builds none: {missing.detail}.",
        cause="the sandbox needs Linux, bubblewrap and user namespaces.",
        remedy=f"{' – or '.join(ways)}.",
    )


class Stoppable:
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


@contextlib.contextmanager
def on_a_cluster(
    name: str, profile: Profile, folder: Path, sandbox_kind: str, submissions: int, *, trusted: bool
) -> Iterator[OpenBackend]:
    """Jobs run on the cluster `name`; leaving lets them run, to be found again by who has the same folder.

    Raises UnableError where they would run without a sandbox and are not trusted.
    """
    refuse_no_sandbox(sandbox_kind, trusted=trusted)
    pace = pace_of(profile, Pace(gather=_GATHER_S))
    sandbox = _ON_A_NODE[sandbox_kind]
    alone = 1 if sandbox == "landlock" else None  # what one leaves behind ends with its job
    pool = SlurmPool(name, profile, folder=folder, sandbox_kind=sandbox, chunk=alone, pace=pace, expected=submissions)

    def run(job: RunSpec, tell: OnEvent) -> RunReport:
        try:
            return pool.run(job, tell)
        except (InfraError, UsageError) as error:  # not this submission's doing: the next one would meet the same
            kind = BackendRefusedError if isinstance(error, UsageError) else BackendLostError
            remedy = error.remedy.removesuffix(".")
            raise kind(error.what, cause=error.cause, remedy=f"{remedy}. Then continue with --resume.") from error

    try:
        yield OpenBackend(sandbox, "", run, pool.leave, retries=0, queue_words=pool.queue_status)
    finally:
        pool.leave()


@contextlib.contextmanager
def in_a_folder(folder: Path, sandbox_kind: str, packages: Sequence[str], *, trusted: bool) -> Iterator[OpenBackend]:
    """Runs are written into a folder, or their results read from it; what has none is left open."""
    refuse_no_sandbox(sandbox_kind, trusted=trusted)
    kind = _ON_A_NODE[sandbox_kind]
    packed = PackedFolder(folder, kind, packages)

    def run(job: RunSpec, tell: OnEvent) -> RunReport:
        return packed.run(job)

    yield OpenBackend(kind, "", run, lambda: None, retries=0)
    packed.close()


def refuse_no_sandbox(sandbox_kind: str, *, trusted: bool) -> None:
    """Raises UnableError where submissions that nobody trusts would run on a cluster without a sandbox."""
    if sandbox_kind == "none" and not trusted:
        raise UnableError(
            "A batch does not run without a sandbox, and neither does it on a cluster.",
            cause="a submission could read other people's files there, and use the network.",
            remedy=f"leave out --sandbox – or, for code that you would run as your own, add {TRUST}.",
        )
