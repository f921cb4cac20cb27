"""`tlcourse batch`: a class in one command."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.batch_found import found_document, found_lines
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

    from tlcourse.cli.batch_display import display_for, summary
    from tlcourse.grading.batch.backend import Backend
    from tlcourse.grading.batch.run import BatchTask, as_document
    from tlcourse.grading.batch.setup import ClassLists, begun_as, many_attempts
    from tlcourse.grading.grade import Options
    from tlcourse.paths import gradebook_file

    end_runs_when_ended()
    found = find(exercise, course)
    book = gradebook or gradebook_file()
    unpacked = book.with_name(book.name + ".unpacked")
    tell = out.note if json else out.say
    lists = ClassLists(roster, groups)
    if go_on:
        begun, begun_on = begun_as(book, found.about.id, submissions)
        lists = begun if roster is None and groups is None else lists
        on = on or begun_on
    backend = Backend.named(on)
    handins = lists.find(submissions, unpacked)
    said = [*handins.notices, *many_attempts(handins, found.about.policy.attempts)]
    handins = replace(handins, notices=said)  # the report repeats it
    for line in found_lines(handins):
        tell(line)
    if dry_run:
        tell(f"It would be graded {backend.words()}.")
        if json:
            out.document({"schema": 1, "exercise": found.about.id, "on": backend.name, **found_document(handins)})
        return
    if not handins.found:
        raise UsageError(
            f"{submissions} holds no hand-in that belongs to somebody.",
            cause="another file was named, or the roster and the submissions are of different classes.",
            remedy="look at the list above, and name the platform's download, with --roster if it has only names.",
        )
    kind = "mini" if variant == Variant.AUTO else variant.value
    options = Options(variant=kind, device=device, threads=threads, wall_time_s=seconds)
    task = BatchTask(
        exercise=found,
        handins=handins,
        source=submissions,
        lists=lists,
        options=options,
        seed=data_seed_for(found, secret, seed),
        backend=backend,
        sandbox_kind=sandbox_kind.value,
        trusted=trust,
        jobs=min(jobs or backend.side_by_side(threads), len(handins.found)),
        who=who or user(),
    )
    graded = task.grade(book, tell, lambda: display_for(plain=plain or json), go_on=go_on, again=again)
    for line in summary(graded):
        tell(line)
    state = as_document(graded)
    if not state["infra"] and not state["waiting"]:
        shutil.rmtree(unpacked, ignore_errors=True)  # what was graded is kept under its hash
    written = _write_out(out_folder, found, book, state["batch"], tell)
    if json:
        out.document({"schema": 1, **found_document(handins), **state, "written": [str(path) for path in written]})
    if state["infra"] or state["waiting"]:
        raise typer.Exit(ExitCode.INFRA)


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
