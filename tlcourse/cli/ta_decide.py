"""`tlcourse ta override`, `export` and `secret new`: what the staff decides, and where marks go."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.marks_book import BatchNumber, reading, write, writing
from tlcourse.cli.options import CourseFolder, ExerciseName, Json, Plain
from tlcourse.cli.staff_options import GradebookFile, RosterFile, Who, user
from tlcourse.errors import UsageError

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
    from tlcourse.grading.gradebook.selectors import target_of

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
        statuses = book.statuses(record)
        if (open_ := without_verdict(statuses)) and not partial:
            raise UsageError(
                f"{len(open_)} hand-ins have no verdict yet: {', '.join(open_[:10])}.",
                cause="the batch was stopped, or they ended as faults of ours.",
                remedy=f"tlcourse batch {found.about.id} SUBMISSIONS --resume – or export the others with --partial",
            )
        marks = marks_of(book, statuses, found)
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
    from tlcourse.paths import secret_file

    path = file or secret_file()
    new_secret(path)
    if json:
        out.document({"schema": 1, "file": str(path)})
        return
    out.say(f"Made {path}, which only you can read.")
    if not plain:
        out.say("Keep a copy in a safe place: verdicts can be repeated only with it.")
