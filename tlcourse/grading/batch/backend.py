"""Where the submissions of a batch run: this machine or a cluster, chosen by name, opened, and left again.

Here a strong sandbox stands around them, or none at all where the staff trusts them. On a cluster the runs go out as an
array of jobs, and what was sent is written down beside the gradebook.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tlcourse.errors import InfraError, UnableError
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.execution.supervise import run as supervise
from tlcourse.grading.grade import OnEvent
from tlcourse.sandbox import KINDS, LANDLOCK_IN_A_BATCH
from tlcourse.sandbox.base import Process, Sandbox, Start
from tlcourse.sandbox.choose import choose, findings

if TYPE_CHECKING:
    from tlcourse.execution.pool import Pool
import shutil
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.cluster.check import STRONG, require_packages_there, sandbox_on_nodes
from tlcourse.cluster.jobs import Journal, Pace, pace_of
from tlcourse.cluster.packed import PackedFolder
from tlcourse.cluster.pool import SlurmPool, shell_for
from tlcourse.cluster.profile import Profile, find_profile
from tlcourse.cluster.sbatch_errors import BusyError, unreachable
from tlcourse.cluster.shell import ConnectionLostError, Shell
from tlcourse.cluster.submit import cancel_arrays, sbatch_test_only
from tlcourse.course.exercise import require_hidden_data, require_packages
from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UsageError
from tlcourse.grading.grade import Options, Runner


@contextlib.contextmanager
def on_this_machine(sandbox_kind: str, jobs: int, *, trusted: bool) -> Iterator[OpenBackend]:
    """`auto`: fork-server, else bubblewrap. Raises UnableError where there is none, unless hand-ins are trusted."""
    with _started_pool(sandbox_kind, jobs) as pool:
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
def _started_pool(sandbox_kind: str, jobs: int) -> Iterator[Pool | None]:
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


TRUST = "--i-trust-these-submissions"
RETRIES = 2
"""How often a submission is tried again after an internal error, before the batch ends without a verdict on it."""
AT_ONE_TIME = 200
"""Submissions on a cluster that are waited for side by side: a class is one array, and a thread that waits is cheap."""
_GATHER_S = 3.0
_ON_A_NODE = {kind: kind for kind in KINDS} | {"auto": "strong"}
Tell = Callable[[str], None]


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


class Backend(Struct, frozen=True):
    """This machine, or with a profile a cluster."""

    name: str = "local"
    profile: Profile | None = None
    packed: Path | None = None
    """A folder that somebody else's scheduler serves."""

    @staticmethod
    def named(name: str | None) -> Backend:
        """The backend called so; raises UsageError where there is none."""
        if name is None or name == "local":
            return Backend()
        if name.startswith(PACKED):
            return Backend(name, packed=Path(name.removeprefix(PACKED)))
        return Backend(name, find_profile(name))

    def words(self) -> str:
        """`on lumi (lumi.csc.fi, up to 8 jobs with 4 hand-ins each)`."""
        if self.packed is not None:
            return f"by whoever runs {self.packed}"
        if self.profile is None:
            return "on this machine"
        host = self.profile.host or "this login node"
        return f"on {self.name} ({host}, up to {self.profile.at_once} jobs with {self.profile.chunk} hand-ins each)"

    def side_by_side(self, threads: int) -> int:
        """How many submissions are graded at a time, unless it was said."""
        if self.profile is not None or self.packed is not None:
            return AT_ONE_TIME
        from tlcourse.execution.pool import cores

        return max(cores() // threads, 1)

    def check(
        self,
        exercise: LoadedExercise,
        options: Options,
        submissions: int,
        sandbox_kind: str,
        tell: Tell,
        *,
        trusted: bool,
    ) -> None:
        """Before anything is begun: the exercise's packages are there, a cluster can be reached and takes such jobs.

        Raises UnableError where packages or hidden data are missing, a cluster does not answer, or submissions would
        run without a sandbox; UsageError where Slurm refuses what the profile asks for.
        """
        require_hidden_data(exercise)
        if self.packed is not None:
            return  # nobody knows where it will run: its run.sh asks there
        if self.profile is None:
            require_packages(exercise.about, marks=True)
            return
        refuse_no_sandbox(sandbox_kind, trusted=trusted)
        limits = exercise.about.limits
        if options.wall_time_s:
            limits = replace(limits, wall_time_s=options.wall_time_s)
        shell = shell_for(self.profile, self.name)
        sbatch_test_only(self.name, self.profile, shell, submissions, limits, options.threads)
        try:
            require_packages_there(self.name, self.profile, shell, exercise.about)
            if sandbox_kind != "none":
                self._nodes_build(sandbox_kind, shell, tell)
        except ConnectionLostError as lost:
            raise unreachable(shell, lost) from None

    def _nodes_build(self, sandbox_kind: str, shell: Shell, tell: Tell) -> None:
        """Raises UnableError where the nodes build no sandbox as a batch needs it, before anything is sent to them."""
        assert self.profile is not None
        kind = sandbox_on_nodes(self.name, self.profile, shell, tell)
        if sandbox_kind == "landlock" and kind != "none":
            tell(LANDLOCK_IN_A_BATCH)
            return
        if kind in STRONG:
            return
        builds = f"landlock at most: {LANDLOCK_IN_A_BATCH}" if kind == "landlock" else "none at all."
        remedy = (
            "grade on a machine with bubblewrap – or decide for the weaker one: --sandbox landlock."
            if kind == "landlock"
            else "grade on a machine with bubblewrap, or ask the cluster's administrators for it."
        )
        raise UnableError(
            f"The nodes of {self.name} build no sandbox that a batch needs; they build {builds}",
            cause="they allow no user namespaces, as LUMI and many other clusters, or have no bubblewrap.",
            remedy=remedy,
        )

    @contextlib.contextmanager
    def opened(
        self,
        sandbox_kind: str,
        jobs: int,
        folder: Path,
        tell: Tell,
        *,
        submissions: int,
        trusted: bool,
        packages: Sequence[str] = (),
    ) -> Iterator[OpenBackend]:
        """Ready to run, for a batch or a regrade of it; raises UnableError where there is no strong sandbox.

        `folder` is where it is written down what the batch has on a cluster, see `folder_of`. `packages`: what the
        exercise promises, for where it is asked only when it runs.
        """
        if self.packed is not None:
            with _in_a_folder(self.packed, sandbox_kind, packages, trusted=trusted) as there:
                yield there
            return
        if self.profile is None:
            with on_this_machine(sandbox_kind, jobs, trusted=trusted) as here:
                yield here
            return
        if before := jobs_there(folder):
            tell(f"Sent to {self.name} before: jobs {', '.join(before)}. Their results are used.")
        with _on_a_cluster(self.name, self.profile, folder, sandbox_kind, submissions, trusted=trusted) as there:
            yield there

    @contextlib.contextmanager
    def leaving(self, folder: Path, tell: Tell) -> Iterator[None]:
        """Whatever stops the batch: say what keeps running there, how to resume here, and how to end it."""
        try:
            yield
        except BaseException:
            if self.profile is not None and (there := jobs_there(folder)):
                reach = f"ssh {self.profile.host} " if self.profile.host else ""
                tell(
                    f"Jobs {', '.join(there)} keep running on {self.name}; the same command with --resume uses their "
                    f"results. To end them: {reach}scancel {' '.join(there)}"
                )
            raise


def folder_of(gradebook: Path, batch: int, round_: int = 0) -> Path:
    """Where it is written down what a batch, or a regrade of it, has on a cluster."""
    name = f"batch-{batch}" + (f"-regrade-{round_}" if round_ else "")
    return gradebook.with_name(gradebook.name + ".cluster") / name


@contextlib.contextmanager
def _on_a_cluster(
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


PACKED = "packed:"
"""What the name of a backend begins with that is a folder; a profile's has no colon."""


@contextlib.contextmanager
def _in_a_folder(folder: Path, sandbox_kind: str, packages: Sequence[str], *, trusted: bool) -> Iterator[OpenBackend]:
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


def forget(folder: Path) -> None:
    """Remove what was written down of a round of which everything is recorded; what still runs of it is cancelled.

    Where a cluster does not answer, the folder stays.
    """
    if not folder.is_dir():
        return
    try:
        for one in Journal(folder).open:  # the rest may have been graded on this machine
            cancel_arrays(shell_for(one.settings, one.profile), [one])
    except (ConnectionLostError, BusyError):
        return
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # another batch has its folder there
        folder.parent.rmdir()


def jobs_there(folder: Path) -> list[str]:
    """Numbers of the Slurm jobs that a batch may still have on its cluster."""
    return [one.job for one in Journal(folder).open if one.job] if folder.is_dir() else []
