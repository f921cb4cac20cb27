"""`tlcourse batch`: a class in one command."""

from __future__ import annotations

import getpass
import shutil
import signal
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out
from tlcourse.cli.exercise import find
from tlcourse.cli.options import (
    CourseFolder,
    Device,
    DeviceName,
    ExerciseName,
    Json,
    Plain,
    Seed,
    Threads,
    Variant,
    VariantName,
    WallSeconds,
    Where,
)
from tlcourse.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.batch.opening import Seed as DataSeed
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.gradebook.records import BatchRecord
    from tlcourse.grading.lms.handins import HandIns


class BatchIsolation(StrEnum):
    """Which wall stands around each submission."""

    AUTO = "auto"
    WARM = "warm"
    COLD = "cold"
    NONE = "none"


GradebookFile = Annotated[
    Path | None,
    typer.Option("--gradebook", metavar="FILE", help="Default: TLCOURSE_GRADEBOOK, or your own in the data folder."),
]
RosterFile = Annotated[Path | None, typer.Option("--roster", metavar="FILE", help="The class list, as exported.")]
GroupsFile = Annotated[Path | None, typer.Option("--groups", metavar="FILE", help="The groups, as exported.")]
SecretFile = Annotated[
    Path | None,
    typer.Option("--secret", metavar="FILE", help="Hidden data come from it. Default: TLCOURSE_SECRET, or your own."),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, max=1024, help="Submissions side by side; default: every core.")
]
Who = Annotated[str | None, typer.Option("--who", metavar="NAME", help="Who does this; default: your user name.")]
BatchIsolationName = Annotated[
    BatchIsolation, typer.Option("--isolation", help="auto: warm, else cold. A batch refuses to run without a wall.")
]
Trust = Annotated[
    bool, typer.Option("--i-trust-these-submissions", help="Run them even where this machine builds no wall.")
]


def batch(
    exercise: ExerciseName,
    submissions: Annotated[Path, typer.Argument(metavar="SUBMISSIONS", help="The platform's ZIP, or a folder.")],
    roster: RosterFile = None,
    groups: GroupsFile = None,
    out_folder: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Feedback, feedback.zip and reports go there.")
    ] = None,
    jobs: Jobs = None,
    go_on: Annotated[
        bool, typer.Option("--resume", help="Go on with the batch of these submissions, if one was begun.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Grade them all anew, as another batch.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what was found, and grade nothing.")] = False,
    isolation: BatchIsolationName = BatchIsolation.AUTO,
    trust: Trust = False,
    secret: SecretFile = None,
    seed: Seed = None,
    gradebook: GradebookFile = None,
    device: DeviceName = Device.CPU,
    variant: VariantName = Variant.AUTO,
    threads: Threads = 1,
    seconds: WallSeconds = None,
    on: Where = "local",
    who: Who = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Grade a class: find each person's or group's newest attempt, train and score all, record every verdict.

    Stopped or killed at any moment, it goes on with --resume; nothing is graded twice.
    """
    from tlcourse.grading.grade import Options
    from tlcourse.grading.gradebook.file import gradebook_path
    from tlcourse.grading.lms.groups import read_groups
    from tlcourse.grading.lms.handins import find_handins
    from tlcourse.grading.lms.roster import read_roster

    if on != "local":
        raise UsageError(f"{on!r} is not a place where a batch runs.", remedy="leave --on away, or say --on local.")
    end_runs_when_ended()
    found = find(exercise, course)
    people = read_roster(roster) if roster else None
    book = gradebook_path(gradebook)
    unpacked = book.with_name(book.name + ".unpacked")
    handins = find_handins(submissions, unpacked, roster=people, groups=read_groups(groups, people) if groups else None)
    tell = out.note if json else out.say
    for line in _found_lines(handins):
        tell(line)
    if dry_run:
        if json:
            out.document({"schema": 1, "exercise": found.about.id, **_found_document(handins)})
        return
    if not handins.found:
        raise UsageError(
            f"{submissions} holds no hand-in that belongs to somebody.",
            cause="another file was named, or the roster and the submissions are of different classes.",
            remedy="look at the list above, and name the platform's download, with --roster if it has only names.",
        )
    kind = "mini" if variant == Variant.AUTO else variant.value
    options = Options(variant=kind, device=device.value, threads=threads, wall_s=seconds)
    task = _Task(found, handins, submissions, options, data_seed_for(found, secret, seed), jobs, who or user())
    state = task.carry_out(book, isolation, trust, go_on=go_on, again=again, plain=plain or json, tell=tell)
    if not state["infra"] and not state["waiting"]:
        shutil.rmtree(unpacked, ignore_errors=True)  # what was graded is kept under its hash
    written = _write_out(out_folder, found, book, state["batch"], tell)
    if json:
        out.document({"schema": 1, **_found_document(handins), **state, "written": [str(path) for path in written]})
    if state["infra"] or state["waiting"]:
        raise typer.Exit(ExitCode.INFRA)


class _Task:
    """What one `tlcourse batch` is asked to do."""

    def __init__(
        self,
        exercise: LoadedExercise,
        handins: HandIns,
        source: Path,
        options: Any,
        seed: DataSeed,
        jobs: int | None,
        who: str,
    ) -> None:
        from tlcourse.execution.pool import cores

        self.exercise = exercise
        self.handins = handins
        self.source = source
        self.options = options
        self.seed = seed
        self.jobs = min(jobs or max(cores() // options.threads, 1), max(len(handins.found), 1))
        self.who = who

    def carry_out(
        self,
        path: Path,
        isolation: BatchIsolation,
        trust: bool,
        *,
        go_on: bool,
        again: bool,
        plain: bool,
        tell: Callable[[str], None],
    ) -> dict[str, Any]:
        """Open everything, grade, and say what came of it; returns the batch's state as a document."""
        from tlcourse.cli.batch_display import display_for, summary
        from tlcourse.grading.batch.grading import as_document, grade_round
        from tlcourse.grading.batch.opening import options_of, work_left
        from tlcourse.grading.batch.state import state_of
        from tlcourse.grading.batch.walls import place_for
        from tlcourse.grading.gradebook.gradebook import Gradebook

        with Gradebook.writing(path, f"tlcourse batch {self.exercise.about.id}") as book:
            before = self._before(book, go_on=go_on, again=again, tell=tell)
            if before is not None and not work_left(book, before, self.handins):
                state = state_of(book, before)
            else:
                with place_for(isolation.value, self.jobs, trusted=trust) as place:
                    batch = before or self._begin(book)
                    book.keep_copy()
                    work = work_left(book, batch, self.handins)
                    if place.notice:
                        tell(f"  note: {place.notice}")
                    tell(
                        f"Batch {batch.id}: {len(work)} to grade, {self.jobs} at a time, {_wall_words(place.name)}; "
                        f"gradebook {path}"
                    )
                    state = grade_round(
                        *(book, batch, self.exercise, work),
                        options=options_of(batch, self.seed, self.options),
                        jobs=self.jobs,
                        place=place,
                        display=display_for(plain=plain),
                    )
        for line in summary(state):
            tell(line)
        return as_document(state)

    def _begin(self, book: Gradebook) -> BatchRecord:
        from tlcourse.grading.batch.opening import begin

        settings = {"jobs": self.jobs}
        return begin(
            book, self.exercise, self.handins, self.source, self.options, self.seed, who=self.who, settings=settings
        )

    def _before(self, book: Gradebook, *, go_on: bool, again: bool, tell: Callable[[str], None]) -> BatchRecord | None:
        """The batch to go on with; None where a new one is to begin. Raises UsageError where neither was asked for."""
        from tlcourse.grading.batch.opening import earlier, resume

        before = earlier(book, self.exercise.about.id, self.source)
        if go_on and before is None:
            tell("No batch of these submissions was begun: this one begins.")
        if before is None or (again and not go_on):
            return None
        if go_on:
            said = resume(book, self.exercise, self.handins, before, self.seed)
            tell(" ".join([f"Going on with batch {before.id}.", *said]))
            return before
        left = len(book.open_handins(before.id))
        raise UsageError(
            f"Batch {before.id} of these submissions is in the gradebook already, "
            + (f"with {left} not graded yet." if left else "and all of it is graded."),
            cause="the command was given before.",
            remedy="--resume goes on with it; --again grades everything anew, as another batch.",
        )


def data_seed_for(exercise: LoadedExercise, secret: Path | None, seed: int | None) -> DataSeed:
    """The seed of a batch; a first batch makes the user's own secret, and says so."""
    from tlcourse.grading.batch.opening import seed_from
    from tlcourse.grading.secret import new_secret, read_secret
    from tlcourse.progress import home

    if seed is not None:
        return seed_from(exercise.about.id, None, seed)
    material = read_secret(secret)
    if material is None:
        own = home() / "secret"
        if not own.exists():
            new_secret(own)
            out.note(f"Made a secret: {own}. Hidden data are drawn from it. Keep it: marks are repeated only with it.")
        material = read_secret(own)
    return seed_from(exercise.about.id, material, None)


def user() -> str:
    """Who gives the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a user database
        return "unknown"


def end_runs_when_ended() -> None:
    """SIGTERM, and SIGHUP of a lost terminal, end the submissions' processes first."""
    for name in ("SIGTERM", "SIGHUP"):
        if number := getattr(signal, name, None):
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _wall_words(name: str) -> str:
    return "WITHOUT a wall, as you trust them" if name == "none" else f"each behind a wall ({name})"


def _found_lines(handins: HandIns) -> Iterator[str]:
    from tlcourse.execution.log import harmless

    groups = sum(1 for handin in handins.found if handin.kind == "group")
    people = sum(len(handin.members) for handin in handins.found)
    yield (
        f"{len(handins.found)} hand-ins found ({groups} of groups) for {people} people; download of: {handins.platform}"
    )
    for word, listed in (
        ("note", handins.notices),
        ("NOT MATCHED", [f"{one.name}: {one.reason}" for one in handins.unmatched]),
        ("handed in nothing", handins.missing),
    ):
        for one in listed:
            yield f"  {word}: {harmless(one)}"


def _found_document(handins: HandIns) -> dict[str, Any]:
    return {
        "found": [
            {"key": h.key, "owner": h.owner, "kind": h.kind, "members": h.members, "folder": h.folder_name}
            for h in handins.found
        ],
        "unmatched": handins.unmatched,
        "missing": handins.missing,
        "notices": handins.notices,
    }


def _write_out(
    folder: Path | None, exercise: LoadedExercise, gradebook: Path, batch: int, tell: Callable[[str], None]
) -> list[Path]:
    """Feedback and reports, from what is recorded."""
    name = exercise.about.id
    if folder is None:
        tell(f"Report: tlcourse ta report {name}   Feedback: tlcourse ta feedback {name} DIR")
        return []
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.report.written import write_all

    with Gradebook.reading(gradebook) as book:
        written = write_all(book, book.batch(batch), exercise, folder)
    for path in written:
        tell(f"written: {path}")
    return written
