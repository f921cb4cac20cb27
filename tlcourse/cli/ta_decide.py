"""`tlcourse ta override`, `regrade`, `export` and `secret new`: what the staff decides, and where marks go."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.marks_book import BatchNumber, reading, write, writing
from tlcourse.cli.options import CourseFolder, ExerciseName, Json, Plain, Seed
from tlcourse.cli.staff_options import (
    BatchIsolation,
    BatchIsolationName,
    GradebookFile,
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
    from tlcourse.grading.batch.engine import Work
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.gradebook.records import BatchRecord

secret_app = typer.Typer(
    help="The secret from which hidden data are drawn.", no_args_is_help=True, rich_markup_mode=None
)


class Format(StrEnum):
    """Platforms that take marks back."""

    BRIGHTSPACE = "brightspace"
    CANVAS = "canvas"
    MOODLE = "moodle"
    GRADESCOPE = "gradescope"
    CSV = "csv"


def override(
    exercise: ExerciseName,
    whom: Annotated[str, typer.Argument(metavar="WHO", help="A hand-in's owner or folder, or one member's id.")],
    points: Annotated[float | None, typer.Option("--points", min=0, help="The points that count.")] = None,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Let the graded points count again.")] = False,
    batch: BatchNumber = None,
    who: Who = None,
    gradebook: GradebookFile = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Set somebody's points by hand: a new row with who, when and why, which a regrade leaves in force."""
    from tlcourse.grading.gradebook.whom import target_of

    if (points is None) != withdraw:
        raise UsageError("Give either --points or --withdraw.", remedy='such as: --points 8 --why "…"')
    if not why.strip():
        raise UsageError(
            "An override needs its reason.", cause="marks that were changed are asked about later.", remedy='--why "…"'
        )
    with writing(exercise, course, gradebook, batch, "tlcourse ta override") as (found, book, record):
        if points is not None and points > record.max_points:
            raise UsageError(
                f"{points:g} points are more than the {record.max_points:g} of {found.about.id}.",
                remedy=f"--points {record.max_points:g}",
            )
        target = target_of(book.handins(record.id), whom)
        book.override(found.about.id, target, points, who=who or user(), why=why.strip())
    if json:
        out.document({"schema": 1, "exercise": found.about.id, "target": target, "points": points})
    else:
        out.say(f"{whom}: " + ("the graded points count again." if points is None else f"{points:g} points."))


def regrade(
    exercise: ExerciseName,
    only: Annotated[str, typer.Option("--only", metavar="WHICH", help="infra, fail, another outcome, all, or WHO.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    go_on: Annotated[bool, typer.Option("--resume", help="Go on with a regrade that was stopped.")] = False,
    batch: BatchNumber = None,
    jobs: Jobs = None,
    isolation: BatchIsolationName = BatchIsolation.AUTO,
    trust: Trust = False,
    secret: SecretFile = None,
    seed: Seed = None,
    who: Who = None,
    gradebook: GradebookFile = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Grade some hand-ins of a batch again, as they were handed in, on the same data; earlier results stay."""
    from tlcourse.cli.batch_display import display_for, summary
    from tlcourse.execution.pool import cores
    from tlcourse.grading.batch.grading import as_document, grade_round
    from tlcourse.grading.batch.opening import options_of, same_secret
    from tlcourse.grading.batch.walls import place_for
    from tlcourse.grading.grade import Options

    end_runs_when_ended()
    tell = out.note if json else out.say
    with writing(exercise, course, gradebook, batch, f"tlcourse ta regrade {exercise}") as (found, book, record):
        data_seed = data_seed_for(found, secret, seed)
        same_secret(record, data_seed)
        book.keep_copy()
        round_, work = _round(book, record, only, go_on=go_on, who=who or user(), why=why.strip())
        tell(f"Regrade {round_} of batch {record.id}: {len(work)} to grade.")
        side_by_side = min(jobs or cores(), len(work))
        with place_for(isolation.value, side_by_side, trusted=trust) as place:
            state = grade_round(
                *(book, record, found, work),
                options=options_of(record, data_seed, Options()),
                jobs=side_by_side,
                place=place,
                display=display_for(plain=plain or json),
                round_=round_,
            )
        left = len(book.open_handins(record.id, round_))
    for line in summary(state):
        tell(line)
    if json:
        out.document({"schema": 1, "regrade": round_, "left": left, **as_document(state)})
    if left:
        tell(f"{left} ended as a fault of ours: go on with --resume.")
        raise typer.Exit(ExitCode.INFRA)


def export(
    exercise: ExerciseName,
    format_: Annotated[Format, typer.Option("--format", help="The platform that takes the marks.")],
    template: Annotated[
        Path | None, typer.Option("--template", metavar="FILE", help="The platform's own export, to be filled in.")
    ] = None,
    roster: RosterFile = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Default: standard output.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="What the platform calls it; default: its title.")] = None,
    scale: Annotated[bool, typer.Option("--scale", help="Convert to the template's maximum points.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Even while some have no verdict yet.")] = False,
    batch: BatchNumber = None,
    gradebook: GradebookFile = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Everybody's points in the form that a platform imports; nothing is written while somebody is unclear."""
    from tlcourse.grading.lms.exports import export as exported
    from tlcourse.grading.lms.roster import read_roster
    from tlcourse.grading.report.marks import marks_of, without_verdict

    with reading(exercise, course, gradebook, batch) as (found, book, record):
        standings = book.standings(record)
        if (open_ := without_verdict(standings)) and not partial:
            raise UsageError(
                f"{len(open_)} hand-ins have no verdict yet: {', '.join(open_[:10])}.",
                cause="the batch was stopped, or they ended as faults of ours.",
                remedy=f"tlcourse batch {found.about.id} SUBMISSIONS --resume – or export the others with --partial",
            )
        marks = marks_of(book, standings, found)
    made = exported(
        marks,
        format_.value,
        item=item or found.about.title,
        max_points=record.max_points,
        roster=read_roster(roster) if roster else None,
        template=template,
        scale=scale,
    )
    data = made if isinstance(made, bytes) else made.encode("utf-8")
    if output is not None:
        write(output, data)
    if json:
        out.document({"schema": 1, "marks": marks, "written": output and str(output)})
    elif output is not None:
        out.say(f"written: {output} ({len(marks)} marks)")
    elif isinstance(made, bytes) and sys.stdout.isatty():
        raise UsageError(f"The export for {format_.value} is no text.", remedy="--output FILE")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)


@secret_app.command("new")
def new(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Default: your own, which batches use by themselves.")
    ] = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Make a secret that only you can read."""
    from tlcourse.grading.secret import new_secret
    from tlcourse.progress import home

    path = file or home() / "secret"
    new_secret(path)
    if json:
        out.document({"schema": 1, "file": str(path)})
        return
    out.say(f"Made {path}, which only you can read.")
    if not plain:
        out.say("Keep a copy in a safe place: verdicts can be repeated only with it.")


def _round(
    book: Gradebook, record: BatchRecord, only: str, *, go_on: bool, who: str, why: str
) -> tuple[int, list[Work]]:
    """The regrade's number and what is left of it; raises UsageError where nothing is."""
    from tlcourse.grading.batch.engine import Work
    from tlcourse.grading.gradebook.whom import selected

    before = book.unfinished_regrade(record.id)
    if before is not None and not go_on:
        raise UsageError(
            f"Regrade {before.id} (--only {before.selection}) is not finished.",
            cause="it was stopped, or ended with faults of ours.",
            remedy=f"tlcourse ta regrade {record.exercise} --only '{before.selection}' --resume",
        )
    if before is not None:
        round_ = before.id
    else:
        standings = selected(book.standings(record), only)
        round_ = book.begin_regrade(record.id, [s.handin.id for s in standings], selection=only, who=who, why=why)
    verdicts = book.verdicts(record.id)
    work = []
    for handin in book.open_handins(record.id, round_):
        verdict = verdicts.get(handin.id)
        work.append(Work(handin, Path(handin.path), verdict.sha256 if verdict else ""))
    return round_, work
