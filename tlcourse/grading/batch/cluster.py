"""A batch on a cluster: its jobs go out as an array, and what was sent is written down beside the gradebook."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tlcourse.errors import InfraError, UnableError, UsageError
from tlcourse.execution.cluster.item import Pace, pace_of
from tlcourse.execution.cluster.journal import Journal
from tlcourse.execution.cluster.pool import SlurmPool
from tlcourse.execution.cluster.profile import Profile
from tlcourse.execution.job import Job, RunReport
from tlcourse.grading.attempt import OnEvent
from tlcourse.grading.batch.place import Place, PlaceLostError
from tlcourse.grading.batch.walls import TRUST

AT_ONE_TIME = 200
"""Hand-ins that are waited for side by side: a class is one array, and a thread that waits costs little."""
_GATHER_S = 3.0
_WALLS = {"auto": "strong", "warm": "warm", "cold": "cold", "none": "none"}


def folder_of(gradebook: Path, batch: int) -> Path:
    """Where it is written down what a batch has on a cluster."""
    return gradebook.with_name(gradebook.name + ".cluster") / f"batch-{batch}"


@contextlib.contextmanager
def cluster_place(name: str, profile: Profile, folder: Path, isolation: str, *, trusted: bool) -> Iterator[Place]:
    """Jobs run on the cluster `name`; leaving lets them go on, to be found again by who has the same folder.

    Raises UnableError where they would run without a wall and are not trusted.
    """
    refuse_no_wall(isolation, trusted=trusted)
    pace = pace_of(profile, Pace(gather=_GATHER_S))
    pool = SlurmPool(name, profile, folder=folder, isolation=_WALLS[isolation], pace=pace)

    def run(job: Job, tell: OnEvent) -> RunReport:
        try:
            return pool.run(job, tell)
        except (InfraError, UsageError) as error:  # no fault of this hand-in: the next one would meet the same
            remedy = error.remedy.replace("PROFILE", name)
            raise PlaceLostError(error.what, cause=error.cause, remedy=f"{remedy} Then go on with --resume.") from error

    try:
        yield Place(_WALLS[isolation], "", run, pool.leave, where=name, retries=0, says=pool.standing)
    finally:
        pool.leave()


def refuse_no_wall(isolation: str, *, trusted: bool) -> None:
    """Raises UnableError where hand-ins that nobody trusts would run without a wall."""
    if isolation == "none" and not trusted:
        raise UnableError(
            "A batch does not run without a wall, on a cluster neither.",
            cause="a submission could read other people's files there, and use the network.",
            remedy=f"leave --isolation away – or, for code that you would run as your own, add {TRUST}.",
        )


def jobs_there(folder: Path) -> list[str]:
    """Numbers of the Slurm jobs that a batch may still have on its cluster."""
    return [one.job for one in Journal(folder).open if one.job] if folder.is_dir() else []
