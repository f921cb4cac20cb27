"""A grading that runs on a cluster, kept so that it survives this process: what was asked, the hand-in, what was sent.

A folder a run, in the user's own: `request.json`, `submission/` (the copy that is graded, whatever becomes of the
original), `journal/` (what was sent where), and `result.json` when there is a verdict. Labels are made again from the
seed when the predictions are back; nothing of them is kept here or travels.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.cluster.jobs import Journal
from tlcourse.cluster.pool import shell_for
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.queue import Asked, JobStatus, ask_status
from tlcourse.cluster.sbatch_errors import BusyError
from tlcourse.cluster.submit import cancel_open
from tlcourse.cluster.watcher import JobWatcher
from tlcourse.course.model import LoadedExercise
from tlcourse.errors import InfraError, TlcourseError, UsageError
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.grading.options import Options
from tlcourse.storage import InUseError, locked, write_atomically

if TYPE_CHECKING:  # a list of runs marks nothing
    from tlcourse.grading.grade import OnEvent
    from tlcourse.grading.result import Result

MAX_KEPT = 200
COLLECT_S = 20.0
"""How long a look at a run that has ended waits for its files."""


class SavedRun(Struct):
    """What was asked for, and what came of it."""

    id: str
    exercise: str
    course: str
    """The folder of the course; empty for the bundled one."""
    path: str
    profile: str
    settings: Profile
    options: Options
    scored: bool
    sha256: str
    notices: list[str]
    created: float
    state: str = "open"
    """open, ended, cancelled or failed"""
    outcome: str = ""
    points: float = 0.0
    max_points: float = 0.0
    said: str = ""


class JobRow(Struct, frozen=True):
    """A run as `tlcourse jobs list` and the app show it: what is known here, and where it stands on its cluster."""

    run: str
    command: str
    """grade or run"""
    exercise: str
    path: str
    on: str
    """The profile."""
    state: str
    outcome: str
    points: float
    max_points: float
    created: float
    said: str
    status: JobStatus | None = None
    """While Slurm has a job of it."""
    reached: bool = True
    """False: its cluster was asked and gave no answer."""


def job_row(one: SavedRun, status: JobStatus | None = None, *, said: str = "", reached: bool = True) -> JobRow:
    """A run's row; `said` is what came of asking for it."""
    return JobRow(
        run=one.id,
        command="grade" if one.scored else "run",
        exercise=one.exercise,
        path=one.path,
        on=one.profile,
        state=one.state,
        outcome=one.outcome,
        points=one.points,
        max_points=one.max_points,
        created=one.created,
        said=said or one.said,
        status=status,
        reached=reached,
    )


class NotYetError(Exception):
    """It has not ended so far."""


class RunStore:
    """All runs of this user on clusters, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[SavedRun]:
        """Oldest first. A folder that cannot be read is left out."""
        found = []
        for path in self.folder.glob("*/request.json"):
            with contextlib.suppress(OSError, msgspec.MsgspecError, ValueError):
                found.append(msgspec.json.decode(path.read_bytes(), type=SavedRun))
        return sorted(found, key=lambda one: one.created)

    def find(self, id_: str) -> SavedRun:
        """The run with this number, or the newest for `last`; raises UsageError."""
        known = self.all()
        match = [one for one in known if one.id == id_] or (known[-1:] if id_ == "last" else [])
        if match:
            return match[0]
        raise UsageError(
            f"There is no run {id_!r} on a cluster.",
            cause=f"known: {', '.join(one.id for one in known[-5:])}." if known else "none was sent yet.",
            remedy="tlcourse jobs list",
        )

    def new(
        self,
        exercise: LoadedExercise,
        course: Path | None,
        path: Path,
        profile: tuple[str, Profile],
        options: Options,
        *,
        scored: bool,
    ) -> SavedRun:
        """Keep a copy of the hand-in and of what is asked; raises SubmissionError."""
        from tlcourse.grading.grade import private_of
        from tlcourse.grading.intake.submission import collect

        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._tidy()
        id_, folder = self._new_folder()
        try:
            (folder / "submission").mkdir()
            starter, private = exercise.folder / "starter.py", private_of(exercise)
            about = exercise.about if scored or not exercise.about.is_run else None  # a report alone cannot be run
            submission = collect(path, folder / "submission", starter=starter, own=True, private=private, about=about)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        name, settings = profile
        one = SavedRun(
            id=id_,
            exercise=exercise.about.id,
            course=str(course.expanduser().resolve()) if course else "",
            path=str(path),
            profile=name,
            settings=settings,
            options=replace(options, where=name),
            scored=scored,
            sha256=submission.sha256,
            notices=submission.notices,
            created=time.time(),
        )
        self.keep(one)
        return one

    def _new_folder(self) -> tuple[str, Path]:
        """Small numbers are easy to type; the folder's making says who was first."""
        number = max((int(path.name) for path in self.folder.iterdir() if path.name.isdigit()), default=0)
        while True:
            number += 1
            with contextlib.suppress(FileExistsError):
                (self.folder / str(number)).mkdir(mode=0o700)
                return str(number), self.folder / str(number)

    def _tidy(self) -> None:
        ended = [one for one in self.all() if one.state != "open"]
        for one in ended[: max(len(ended) - MAX_KEPT, 0)]:
            shutil.rmtree(self.folder / one.id, ignore_errors=True)

    def keep(self, one: SavedRun) -> None:
        """Write it down."""
        _write(self.folder / one.id / "request.json", msgspec.json.encode(one))

    def result(self, one: SavedRun) -> Result | None:
        """The verdict, where there is one."""
        from tlcourse.grading.result import read_result

        path = self.folder / one.id / "result.json"
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            return read_result(path.read_bytes())
        return None

    def journal(self, one: SavedRun) -> Journal:
        """What was sent for it."""
        return Journal(self.folder / one.id / "journal")

    @contextlib.contextmanager
    def watched(self, one: SavedRun) -> Iterator[bool]:
        """Whether nobody else follows it; while this lasts, nobody else will."""
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locked(self.folder / one.id / "lock"))
            except InUseError:
                yield False
                return
            yield True

    def carry_out(
        self,
        one: SavedRun,
        exercise: LoadedExercise,
        on_event: OnEvent,
        *,
        wait_s: float | None = None,
        cancel: Callable[[], bool] = lambda: False,
    ) -> Result:
        """Send what is not sent, wait for what is, and decide. Raises TlcourseError, and NotYetError after `wait_s`.

        A KeyboardInterrupt cancels the jobs where `cancel` says so; else, or where the cluster does not answer, they
        keep running, and are found again later. A run that was cancelled meanwhile stays so.
        """
        from tlcourse.grading.grade import Grading
        from tlcourse.grading.intake.submission import Submission, hash_folder

        folder = self.folder / one.id
        if hash_folder(folder / "submission") != one.sha256:
            raise InfraError(f"The copy of the hand-in in {folder} was changed.", remedy="grade it again.")
        shell = shell_for(one.settings, one.profile)
        watcher = JobWatcher(one.profile, one.settings, shell, journal=self.journal(one))

        def run(job: RunSpec, tell: OnEvent) -> RunReport:
            try:
                return watcher.add(job, tell).result(timeout=wait_s)
            except TimeoutError:
                raise NotYetError from None

        try:
            submission = Submission(Path(one.path), folder / "submission", one.sha256, one.notices)
            started = datetime.fromtimestamp(one.created, UTC).isoformat(timespec="seconds")
            result = Grading(exercise, one.options, run).result(
                submission, on_event, started=started, scored=one.scored
            )
        except KeyboardInterrupt:
            if cancel() and watcher.cancel():
                self.end(one, "cancelled")
            raise
        finally:
            watcher.close()
        if result.outcome == "infra" and self.find(one.id).state == "cancelled":  # by somebody in another terminal
            one.state = "cancelled"
            return result
        result = replace(result, messages=[*result.messages, *watcher.notes])
        _write(folder / "result.json", msgspec.json.encode(result))
        one.outcome, one.points, one.max_points = result.outcome, result.points, result.max_points
        self.end(one, "ended")
        return result

    def ask(self, shown: Sequence[SavedRun], collect: Callable[[SavedRun], str]) -> list[JobRow]:
        """Ask the clusters how runs stand, each cluster once; rows in the order of `shown`.

        `collect` takes what has ended there, or says why it cannot.
        """
        by_profile: dict[tuple[str, str | None], list[SavedRun]] = {}
        for one in shown:
            if one.state == "open":
                by_profile.setdefault((one.profile, one.settings.host), []).append(one)
        rows: dict[str, JobRow] = {}
        for (name, _), same in by_profile.items():
            profile = same[0].settings
            try:
                shell = shell_for(profile, name)
                asked = ask_status(
                    shell, profile, {one.id: self.journal(one).open for one in same}, self._asked(name, profile)
                )
                status = asked.status
                _write(self._asked_file(name, profile), msgspec.json.encode(asked))
                for one in same:
                    said = "" if one.id in status else collect(one)
                    rows[one.id] = job_row(self.find(one.id), status.get(one.id), said=said)
            except TlcourseError as error:
                lost = (one for one in same if one.id not in rows)
                rows.update({one.id: job_row(one, said=error.what, reached=False) for one in lost})
        return [rows.get(one.id) or job_row(one) for one in shown]

    def _asked_file(self, name: str, profile: Profile) -> Path:
        """What a cluster said last, for all processes of this user: none of them asks its Slurm again at once."""
        where = hashlib.sha256(f"{name}\0{profile.host}".encode()).hexdigest()[:12]
        return self.folder / f"asked-{where}.json"

    def _asked(self, name: str, profile: Profile) -> Asked | None:
        with contextlib.suppress(OSError, msgspec.MsgspecError, ValueError):
            return msgspec.json.decode(self._asked_file(name, profile).read_bytes(), type=Asked)
        return None

    def collect(self, one: SavedRun, exercise: LoadedExercise, wait_s: float = COLLECT_S) -> Result | str:
        """Fetch and mark what has ended; or say why there is no verdict yet.

        Where a further run is needed, it is sent, and looked at next time.
        """
        with self.watched(one) as free:
            if not free:
                return "Another tlcourse is following it."
            try:
                return self.carry_out(one, exercise, lambda _: None, wait_s=wait_s)
            except NotYetError:
                return "It has not ended yet, or was sent again."
            except TlcourseError as error:
                self.fail_unless_sent(one, error)
                return error.what

    def fail_unless_sent(self, one: SavedRun, error: TlcourseError) -> None:
        """It failed before anything of it reached the cluster; else it keeps running there, and is found again."""
        if not any(sent.job for sent in self.journal(one).open):
            self.end(one, "failed", error.what)

    def cancel(self, one: SavedRun) -> None:
        """Cancel its jobs: nothing is counted. Raises UnableError where the cluster does not answer, and InfraError."""
        try:
            cancel_open(shell_for(one.settings, one.profile), self.journal(one))
        except BusyError as error:
            raise InfraError(
                f"Run {one.id} was not cancelled. {error}",
                cause="Slurm is busy on the cluster, or is being restarted.",
                remedy=f"give the command again in a minute: tlcourse jobs cancel {one.id}",
            ) from None
        self.end(one, "cancelled")

    def end(self, one: SavedRun, state: str, said: str = "") -> None:
        """Nothing more is to come of it."""
        one.state, one.said = state, said
        self.keep(one)


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data)
    except OSError as error:
        raise InfraError(
            f"{path} cannot be written: {error.strerror}.", remedy=f"make room in {path.parent}."
        ) from None
