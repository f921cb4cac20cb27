"""A batch on a cluster: its jobs go out as an array, and what was sent is written down beside the gradebook."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from tlcourse.cluster.jobs import Journal, Pace, pace_of
from tlcourse.cluster.pool import SlurmPool, shell_for
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.sbatch_errors import BusyError
from tlcourse.cluster.shell import ConnectionLostError
from tlcourse.cluster.submit import cancel_arrays
from tlcourse.errors import InfraError, UnableError, UsageError
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.grading.batch.place import Place, PlaceLostError, PlaceRefusedError
from tlcourse.grading.batch.sandboxes import TRUST
from tlcourse.grading.grade import OnEvent

AT_ONE_TIME = 200
"""Hand-ins that are waited for side by side: a class is one array, and a thread that waits costs little."""
_GATHER_S = 3.0
_SANDBOXES = {"auto": "strong", "fork-server": "fork-server", "bubblewrap": "bubblewrap", "none": "none"}


def folder_of(gradebook: Path, batch: int, round_: int = 0) -> Path:
    """Where it is written down what a batch, or a regrade of it, has on a cluster."""
    name = f"batch-{batch}" + (f"-regrade-{round_}" if round_ else "")
    return gradebook.with_name(gradebook.name + ".cluster") / name


@contextlib.contextmanager
def cluster_place(
    name: str, profile: Profile, folder: Path, sandbox_kind: str, hand_ins: int, *, trusted: bool
) -> Iterator[Place]:
    """Jobs run on the cluster `name`; leaving lets them go on, to be found again by who has the same folder.

    Raises UnableError where they would run without a sandbox and are not trusted.
    """
    refuse_no_sandbox(sandbox_kind, trusted=trusted)
    pace = pace_of(profile, Pace(gather=_GATHER_S))
    sandbox = _SANDBOXES[sandbox_kind]
    pool = SlurmPool(name, profile, folder=folder, sandbox_kind=sandbox, pace=pace, expected=hand_ins)

    def run(job: RunSpec, tell: OnEvent) -> RunReport:
        try:
            return pool.run(job, tell)
        except (InfraError, UsageError) as error:  # no fault of this hand-in: the next one would meet the same
            kind = PlaceRefusedError if isinstance(error, UsageError) else PlaceLostError
            remedy = error.remedy.removesuffix(".")
            raise kind(error.what, cause=error.cause, remedy=f"{remedy}. Then go on with --resume.") from error

    try:
        yield Place(sandbox, "", run, pool.leave, where=name, retries=0, says=pool.queue_status)
    finally:
        pool.leave()


def refuse_no_sandbox(sandbox_kind: str, *, trusted: bool) -> None:
    """Raises UnableError where hand-ins that nobody trusts would run without a sandbox."""
    if sandbox_kind == "none" and not trusted:
        raise UnableError(
            "A batch does not run without a sandbox, on a cluster neither.",
            cause="a submission could read other people's files there, and use the network.",
            remedy=f"leave --sandbox away – or, for code that you would run as your own, add {TRUST}.",
        )


def forget(folder: Path) -> None:
    """Remove what was written down of a round of which everything is recorded; what still runs of it is ended.

    Where a cluster does not hear that, the folder stays.
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
