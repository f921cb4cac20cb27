"""What the staff's commands share: options, the seed of hidden data, and the gradebook that is opened."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Group, one_of
from tlcourse.errors import UsageError
from tlcourse.sandbox import FOR_BATCHES
from tlcourse.storage import user

if TYPE_CHECKING:
    from tlcourse.course.deadline import Deadline
    from tlcourse.course.model import LoadedCourse, LoadedExercise
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.gradebook.records import BatchRecord
    from tlcourse.grading.secret import DataSeed


GradebookFile = Annotated[
    Path | None,
    typer.Option("--gradebook", metavar="FILE", help="Default: TLCOURSE_GRADEBOOK, or your own in the data folder."),
]
BatchNumber = Annotated[
    int | None, typer.Option("--batch", metavar="NUMBER", help="A batch of the exercise; default: the newest.")
]
ExerciseOrAll = Annotated[str, typer.Argument(metavar="[EXERCISE]", help="Such as ex2; not with --all.")]
Anonymous = Annotated[
    bool, typer.Option("--anonymous", help="Pseudonyms in place of names; says what this cannot hide.")
]
AllExercises = Annotated[bool, typer.Option("--all", help="All exercises of the course in one table.")]
RosterFile = Annotated[Path | None, typer.Option("--roster", metavar="FILE", help="The class list, as exported.")]
GroupsFile = Annotated[Path | None, typer.Option("--groups", metavar="FILE", help="The groups, as exported.")]
CategoryName = Annotated[
    str, typer.Option("--category", metavar="NAME", help="Which set of groups, where the file has several.")
]
SecretFile = Annotated[
    Path | None,
    typer.Option("--secret", metavar="FILE", help="Hidden data come from it. Default: TLCOURSE_SECRET, or your own."),
]
BatchSeed = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="Draw the data from this number, not from a secret; needs --public-marks."),
]
PublicMarks = Annotated[
    bool,
    typer.Option("--public-marks", help="These marks count for nothing: who guesses --seed has the test's labels."),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, max=1024, help="Submissions side by side; default: every core.")
]
Who = Annotated[str | None, typer.Option("--who", metavar="NAME", help="Who does this; default: your user name.")]
BatchWhere = Annotated[
    str | None,
    typer.Option("--on", metavar="WHERE", help="local, slurm, or a profile; default: local, or where it was begun."),
]
BatchSandboxName = Annotated[
    str,
    typer.Option(
        "--sandbox",
        metavar="|".join(FOR_BATCHES),
        callback=one_of(FOR_BATCHES, "sandbox"),
        help="auto: fork-server, else bubblewrap. A batch refuses to run without a sandbox.",
    ),
]
Trust = Annotated[
    bool, typer.Option("--i-trust-these-submissions", help="Run them even where this machine cannot sandbox anything.")
]


def end_runs_when_ended() -> None:
    """SIGTERM, and SIGHUP of a lost terminal, end the submissions' processes first."""
    for name in ("SIGTERM", "SIGHUP"):
        if number := getattr(signal, name, None):
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


class ChosenBatch(Group, frozen=True, kw_only=True):
    """One batch of a gradebook."""

    batch: BatchNumber = None
    gradebook: GradebookFile = None
    course: CourseFolder = None

    @contextlib.contextmanager
    def reading(self, exercise: str) -> Iterator[tuple[LoadedExercise, Gradebook, BatchRecord]]:
        """The exercise, the gradebook open for reading, and the batch; raises UsageError."""
        from tlcourse.course.loader import load_course
        from tlcourse.grading.gradebook.gradebook import Gradebook
        from tlcourse.paths import gradebook_file

        course = load_course(self.course)
        found = course.exercise(exercise)
        with Gradebook.reading(self.gradebook or gradebook_file(), course.manual) as book:
            record = _chosen(book, found.about.id, self.batch)
            _say_what_is_missing(book, record)
            yield found, book, record

    @contextlib.contextmanager
    def writing(self, exercise: str, command: str) -> Iterator[tuple[LoadedExercise, Gradebook, BatchRecord]]:
        """The same, open for writing by `command`; there must be a gradebook already."""
        from tlcourse.course.loader import load_course
        from tlcourse.grading.gradebook.file import must_exist
        from tlcourse.grading.gradebook.gradebook import Gradebook
        from tlcourse.paths import gradebook_file

        course = load_course(self.course)
        found, path = course.exercise(exercise), must_exist(self.gradebook or gradebook_file())
        with Gradebook.writing(path, command, manual=course.manual) as book:
            record = _chosen(book, found.about.id, self.batch)
            _say_what_is_missing(book, record)
            yield found, book, record

    @contextlib.contextmanager
    def before_a_batch(
        self, exercise: str, command: str = ""
    ) -> Iterator[tuple[LoadedExercise, Gradebook, Deadline | None]]:
        """The exercise, the gradebook and the deadline in force, whether there is a batch or not.

        With a `command` the gradebook is open for writing, and made if there is none.
        """
        from tlcourse.course.deadline import deadline_of
        from tlcourse.course.loader import load_course
        from tlcourse.grading.gradebook.deadlines import kept_deadline
        from tlcourse.grading.gradebook.gradebook import Gradebook
        from tlcourse.paths import gradebook_file

        course = load_course(self.course)
        found = course.exercise(exercise)
        deadline = deadline_of(course.about, found.about)
        path = self.gradebook or gradebook_file()
        opened = Gradebook.writing(path, command) if command else Gradebook.reading(path)
        with opened as book:
            if batches := book.batches(found.about.id):
                number = _chosen(book, found.about.id, self.batch).id if self.batch else batches[-1].id
                kept = kept_deadline(book, number)
                deadline = kept.deadline if kept else deadline
            yield found, book, deadline

    @contextlib.contextmanager
    def reading_all(self) -> Iterator[tuple[LoadedCourse, Gradebook]]:
        """The course, and the gradebook open for reading; raises UsageError."""
        from tlcourse.course.loader import load_course
        from tlcourse.grading.gradebook.gradebook import Gradebook
        from tlcourse.paths import gradebook_file

        if self.batch is not None:
            raise UsageError("--all shows the newest batch of each exercise.", remedy="leave --batch away.")
        course = load_course(self.course)
        with Gradebook.reading(self.gradebook or gradebook_file(), course.manual) as book:
            yield course, book


def one_or_all(exercise: str, whole: bool) -> None:
    """Raise UsageError unless an exercise is named, or all are asked for."""
    if bool(exercise) == whole:
        raise UsageError("Name an exercise, or give --all.", remedy="see: tlcourse exercise list")


class GradingOptions(Group, frozen=True, kw_only=True):
    """How and where the submissions of a class are graded, and by whom."""

    jobs: Jobs = None
    sandbox_kind: BatchSandboxName = "auto"
    trust: Trust = False
    secret: SecretFile = None
    seed: BatchSeed = None
    public_marks: PublicMarks = False
    on: BatchWhere = None
    who: Who = None

    def data_seed(self, exercise: LoadedExercise, *, begun: bool = False) -> DataSeed:
        """The seed of a batch; a first batch makes the user's own secret, and says so. Raises UsageError.

        `begun`: it is of a batch that has one, which a new secret could not be.
        """
        from tlcourse.grading.secret import PUBLIC_WORDS, new_secret, read_secret, seed_from
        from tlcourse.paths import secret_file
        from tlcourse.sandbox.view import refuse_what_is_private

        if self.seed is not None and not self.public_marks:
            raise UsageError(
                f"--seed {self.seed} would make these marks public.",
                cause=PUBLIC_WORDS,
                remedy="leave --seed away: data then come from your secret. Or add --public-marks, if no mark counts.",
            )
        if self.seed is not None:
            out.note(f"Data from seed {self.seed}: these marks are public. {PUBLIC_WORDS}")
            return seed_from(exercise.about.id, None, self.seed)
        material = read_secret(self.secret)
        if self.secret is not None and self.sandbox_kind != "none":
            refuse_what_is_private([("The secret", self.secret)])
        if material is None:
            own = secret_file()
            if begun and not own.exists():
                raise UsageError(
                    f"The secret of the batch is not on this machine: there is no {own}.",
                    cause="it was begun on another machine, or by somebody else.",
                    remedy="name the one that it was begun with: --secret FILE",
                )
            if not own.exists():
                new_secret(own)
                out.note(
                    f"Made a secret: {own}. Hidden data are drawn from it. Keep it: marks are repeated only with it."
                )
            material = read_secret(own)
        return seed_from(exercise.about.id, material, None)

    @property
    def user(self) -> str:
        """Who gives the command."""
        return self.who or user()


def _say_what_is_missing(book: Gradebook, batch: BatchRecord) -> None:
    """A line where kept hand-ins are not beside the gradebook: it may have been copied without them."""
    from tlcourse.grading.gradebook.submission_store import SubmissionStore

    store, verdicts = SubmissionStore(book.path), book.verdicts(batch.id).values()
    if gone := store.gone(verdict.sha256 for verdict in verdicts):
        out.note(
            f"{gone} of {len(verdicts)} kept hand-ins are not in {store.folder}: they cannot be compared "
            "or graded again. A gradebook is copied with that folder."
        )


def _chosen(book: Gradebook, exercise: str, number: int | None) -> BatchRecord:
    """The batch of that number, which must be of the exercise; else its newest."""
    if number is None:
        return book.latest_batch(exercise)
    return book.batch_of(exercise, number)


def write(path: Path, data: bytes) -> None:
    """Write a file as a whole; raises UsageError."""
    from tlcourse.storage import write_atomically

    try:
        write_atomically(path, data)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.",
            cause="its folder is not there, the disk is full, or permissions are missing.",
            remedy="name another file.",
        ) from None
