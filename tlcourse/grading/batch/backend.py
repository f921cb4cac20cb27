"""Where the submissions of a batch run: this machine, a cluster or a folder, chosen by name, asked, and left again."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.cluster.check import STRONG, require_packages_there, sandbox_on_nodes
from tlcourse.cluster.jobs import Journal
from tlcourse.cluster.pool import shell_for
from tlcourse.cluster.profile import Profile, find_profile
from tlcourse.cluster.sbatch_errors import BusyError, unreachable
from tlcourse.cluster.shell import ConnectionLostError, Shell
from tlcourse.cluster.submit import cancel_arrays, sbatch_test_only
from tlcourse.course.exercise import require_hidden_data, require_packages
from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UnableError
from tlcourse.grading.batch.open_backend import (
    OpenBackend,
    in_a_folder,
    on_a_cluster,
    on_this_machine,
    refuse_no_sandbox,
)
from tlcourse.grading.grade import Options
from tlcourse.sandbox import LANDLOCK_IN_A_BATCH

AT_ONE_TIME = 200
"""Submissions on a cluster that are waited for side by side: a class is one array, and a thread that waits is cheap."""
Tell = Callable[[str], None]


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
            with in_a_folder(self.packed, sandbox_kind, packages, trusted=trusted) as there:
                yield there
            return
        if self.profile is None:
            with on_this_machine(sandbox_kind, jobs, trusted=trusted) as here:
                yield here
            return
        if before := jobs_there(folder):
            tell(f"Sent to {self.name} before: jobs {', '.join(before)}. Their results are used.")
        with on_a_cluster(self.name, self.profile, folder, sandbox_kind, submissions, trusted=trusted) as there:
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


PACKED = "packed:"
"""What the name of a backend begins with that is a folder; a profile's has no colon."""


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
