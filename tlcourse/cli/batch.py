"""`tlcourse batch`: a class in one command."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out
from tlcourse.cli.batch_found import Lists, begun_as, found_document, found_lines, many_attempts
from tlcourse.cli.batch_place import PlaceName
from tlcourse.cli.exercise import find
from tlcourse.cli.options import (
    CourseFolder,
    DeviceName,
    ExerciseName,
    Json,
    Plain,
    Seed,
    Threads,
    TimeLimit,
    Variant,
    VariantName,
)
from tlcourse.cli.staff_options import (
    BatchSandboxKind,
    BatchSandboxName,
    BatchWhere,
    GradebookFile,
    GroupsFile,
    Jobs,
    RosterFile,
    SecretFile,
    Trust,
    Who,
    data_seed_for,
    end_runs_when_ended,
    user,
)
from tlcourse.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.batch.opening import Seed as DataSeed
    from tlcourse.grading.grade import Options
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.gradebook.records import BatchRecord
    from tlcourse.grading.lms.handins import HandIns


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
    sandbox_kind: BatchSandboxName = BatchSandboxKind.AUTO,
    trust: Trust = False,
    secret: SecretFile = None,
    seed: Seed = None,
    gradebook: GradebookFile = None,
    device: DeviceName = "cpu",
    variant: VariantName = Variant.AUTO,
    threads: Threads = 1,
    seconds: TimeLimit = None,
    on: BatchWhere = None,
    who: Who = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Grade a class: find each person's or group's newest attempt, train and score all, record every verdict.

    Stopped or killed at any moment, it goes on with --resume; nothing is graded twice.
    """
    from msgspec.structs import replace

    from tlcourse.grading.grade import Options
    from tlcourse.paths import gradebook_file

    end_runs_when_ended()
    found = find(exercise, course)
    book = gradebook or gradebook_file()
    unpacked = book.with_name(book.name + ".unpacked")
    tell = out.note if json else out.say
    lists = Lists(roster, groups)
    if go_on:
        begun, place = begun_as(book, found.about.id, submissions)
        lists = begun if roster is None and groups is None else lists
        on = on or place
    where = PlaceName.named(on)
    handins = lists.find(submissions, unpacked)
    said = [*handins.notices, *many_attempts(handins, found.about.policy.attempts)]
    handins = replace(handins, notices=said)  # the report repeats it
    for line in found_lines(handins):
        tell(line)
    if dry_run:
        tell(f"It would be graded {where.words()}.")
        if json:
            out.document({"schema": 1, "exercise": found.about.id, "on": where.name, **found_document(handins)})
        return
    if not handins.found:
        raise UsageError(
            f"{submissions} holds no hand-in that belongs to somebody.",
            cause="another file was named, or the roster and the submissions are of different classes.",
            remedy="look at the list above, and name the platform's download, with --roster if it has only names.",
        )
    kind = "mini" if variant == Variant.AUTO else variant.value
    options = Options(variant=kind, device=device, threads=threads, wall_time_s=seconds)
    data_seed = data_seed_for(found, secret, seed)
    task = _Task(found, handins, submissions, lists, options, data_seed, jobs, who or user(), where)
    state = task.carry_out(book, sandbox_kind, trust, go_on=go_on, again=again, plain=plain or json, tell=tell)
    if not state["infra"] and not state["waiting"]:
        shutil.rmtree(unpacked, ignore_errors=True)  # what was graded is kept under its hash
    written = _write_out(out_folder, found, book, state["batch"], tell)
    if json:
        out.document({"schema": 1, **found_document(handins), **state, "written": [str(path) for path in written]})
    if state["infra"] or state["waiting"]:
        raise typer.Exit(ExitCode.INFRA)


class _Task:
    """What one `tlcourse batch` is asked to do."""

    def __init__(
        self,
        exercise: LoadedExercise,
        handins: HandIns,
        source: Path,
        lists: Lists,
        options: Options,
        seed: DataSeed,
        jobs: int | None,
        who: str,
        where: PlaceName,
    ) -> None:

        self.exercise = exercise
        self.handins = handins
        self.source = source
        self.lists = lists
        self.options = options
        self.seed = seed
        self.where = where
        self.jobs = min(jobs or where.side_by_side(options.threads), max(len(handins.found), 1))
        self.who = who

    def carry_out(
        self,
        path: Path,
        sandbox_kind: BatchSandboxKind,
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
        from tlcourse.grading.gradebook.gradebook import Gradebook

        hand_ins = len(self.handins.found)
        with Gradebook.writing(path, f"tlcourse batch {self.exercise.about.id}") as book:
            before = self._before(book, go_on=go_on, again=again, tell=tell)
            if before is not None and not work_left(book, before, self.handins):
                state = state_of(book, before)
            else:
                with contextlib.ExitStack() as opened:
                    batch = before
                    if batch is None and self.where.profile is not None:
                        self.where.prove(self.exercise, self.options, hand_ins, sandbox_kind.value, trusted=trust)
                        batch = self._begin(book)  # its number names the folder in which its jobs are found again
                    number = batch.id if batch else 0
                    place = opened.enter_context(
                        self.where.opened(sandbox_kind.value, self.jobs, path, number, hand_ins=hand_ins, trusted=trust)
                    )
                    batch = batch or self._begin(book)
                    book.keep_copy()
                    work = work_left(book, batch, self.handins)
                    if place.notice:
                        tell(f"  note: {place.notice}")
                    tell(
                        f"Batch {batch.id}: {len(work)} to grade, {self.jobs} at a time {self.where.words()}, "
                        f"{_sandbox_words(place.name)}; "
                        f"gradebook {path}"
                    )
                    with self.where.leaving(path, batch.id):
                        state = grade_round(
                            *(book, batch, self.exercise, work),
                            options=options_of(batch, self.seed, self.options),
                            jobs=self.jobs,
                            place=place,
                            display=display_for(plain=plain),
                        )
            if not state.infra and not state.waiting:
                self.where.forget(path, state.batch)
        for line in summary(state):
            tell(line)
        return as_document(state)

    def _begin(self, book: Gradebook) -> BatchRecord:
        from tlcourse.grading.batch.opening import begin

        settings = {"jobs": self.jobs, "on": self.where.name, **self.lists.settings()}
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


def _sandbox_words(name: str) -> str:
    return "WITHOUT a sandbox, as you trust them" if name == "none" else f"each in a sandbox ({name})"


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
