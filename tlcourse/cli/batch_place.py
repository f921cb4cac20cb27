"""`tlcourse batch --on WHERE`: this machine or a cluster, opened for a batch and left again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tlcourse.cli import out

if TYPE_CHECKING:
    from tlcourse.cluster.profile import Profile
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.batch.place import Place
    from tlcourse.grading.grade import Options


class PlaceName(NamedTuple):
    """Where a batch is to run. Without a profile: on this machine."""

    name: str = "local"
    profile: Profile | None = None

    @staticmethod
    def named(name: str | None) -> PlaceName:
        """The place called so; raises UsageError where there is none."""
        from tlcourse.cluster.profile import find_profile

        if name in (None, "local"):
            return PlaceName()
        assert name is not None
        return PlaceName(name, find_profile(name))

    def words(self) -> str:
        """`on lumi (lumi.csc.fi, up to 8 jobs with 4 hand-ins each)`."""
        if self.profile is None:
            return "on this machine"
        host = self.profile.host or "this login node"
        return f"on {self.name} ({host}, up to {self.profile.at_once} jobs with {self.profile.chunk} hand-ins each)"

    def side_by_side(self, threads: int) -> int:
        """How many hand-ins are attended to at a time, unless it was said."""
        if self.profile is None:
            from tlcourse.execution.pool import cores

            return max(cores() // threads, 1)
        from tlcourse.grading.batch.cluster import AT_ONE_TIME

        return AT_ONE_TIME

    def prove(
        self, exercise: LoadedExercise, options: Options, hand_ins: int, sandbox_kind: str, *, trusted: bool
    ) -> None:
        """Before anything is begun on a cluster: it can be reached, and takes such jobs.

        Raises UnableError where it does not answer, or where hand-ins would run without a sandbox; UsageError where
        Slurm refuses what the profile asks for.
        """
        if self.profile is None:
            return
        from msgspec.structs import replace

        from tlcourse.cluster.pool import shell_for
        from tlcourse.cluster.submit import sbatch_test_only
        from tlcourse.grading.batch.cluster import refuse_no_sandbox

        refuse_no_sandbox(sandbox_kind, trusted=trusted)
        limits = exercise.about.limits
        if options.wall_time_s:
            limits = replace(limits, wall_time_s=options.wall_time_s)
        shell = shell_for(self.profile, self.name)
        sbatch_test_only(self.name, self.profile, shell, hand_ins, limits, options.threads)

    @contextlib.contextmanager
    def opened(
        self,
        sandbox_kind: str,
        jobs: int,
        gradebook: Path,
        batch: int,
        round_: int = 0,
        *,
        hand_ins: int,
        trusted: bool,
    ) -> Iterator[Place]:
        """The place itself, for a batch or a regrade of it; raises UnableError where it has no strong sandbox."""
        if self.profile is None:
            from tlcourse.grading.batch.sandboxes import place_for

            with place_for(sandbox_kind, jobs, trusted=trusted) as place:
                yield place
            return
        from tlcourse.grading.batch.cluster import cluster_place, folder_of, jobs_there

        folder = folder_of(gradebook, batch, round_)
        if before := jobs_there(folder):
            out.note(f"Sent to {self.name} before: jobs {', '.join(before)}. What they did is taken over.")
        with cluster_place(self.name, self.profile, folder, sandbox_kind, hand_ins, trusted=trusted) as place:
            yield place

    @contextlib.contextmanager
    def leaving(self, gradebook: Path, batch: int, round_: int = 0) -> Iterator[None]:
        """Whatever stops the batch: say what goes on there, how to go on here, and how to end it."""
        try:
            yield
        except BaseException:
            if self.profile is not None:
                from tlcourse.grading.batch.cluster import folder_of, jobs_there

                if there := jobs_there(folder_of(gradebook, batch, round_)):
                    reach = f"ssh {self.profile.host} " if self.profile.host else ""
                    out.note(
                        f"Jobs {', '.join(there)} go on on {self.name}; the same command with --resume takes what they "
                        f"did. To end them: {reach}scancel {' '.join(there)}"
                    )
            raise

    def forget(self, gradebook: Path, batch: int, round_: int = 0) -> None:
        """Everything is recorded: what was written down of its jobs on a cluster is needed no more."""
        from tlcourse.grading.batch.cluster import folder_of, forget

        forget(folder_of(gradebook, batch, round_))
