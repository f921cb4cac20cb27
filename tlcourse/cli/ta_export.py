"""`tlcourse ta export`: everybody's points, as a platform imports them."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import Json, Plain
from tlcourse.cli.staff_options import AllExercises, ChosenBatch, ExerciseOrAll, RosterFile, one_or_all, write
from tlcourse.errors import UsageError


class Format(StrEnum):
    """Platforms that take marks back."""

    BRIGHTSPACE = "brightspace"
    CANVAS = "canvas"
    MOODLE = "moodle"
    GRADESCOPE = "gradescope"
    CSV = "csv"


class Missing(StrEnum):
    """What those get who handed in nothing."""

    BLANK = "blank"
    ZERO = "zero"


def export(
    chosen: ChosenBatch,
    exercise: ExerciseOrAll = "",
    format_: Annotated[
        Format | None, typer.Option("--format", help="The platform that takes the marks; with --all a plain table.")
    ] = None,
    whole: AllExercises = False,
    template: Annotated[
        Path | None, typer.Option("--template", metavar="FILE", help="The platform's own export, to be filled in.")
    ] = None,
    roster: RosterFile = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Default: standard output.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="What the platform calls it; default: its title.")] = None,
    scale: Annotated[bool, typer.Option("--scale", help="Convert to the template's maximum points.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Even while some have no verdict or are unmatched.")
    ] = False,
    missing: Annotated[
        Missing, typer.Option("--missing", help="What those get who handed in nothing; blank leaves the cell as it is.")
    ] = Missing.BLANK,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Everybody's points in the form that a platform imports; nothing is written while somebody is unclear."""
    from tlcourse.grading.gradebook.by_hand import part_maxima
    from tlcourse.grading.gradebook.people import is_a_test_person, left_out, may_be_in, refuse_unclear
    from tlcourse.grading.lms.exports import export as exported
    from tlcourse.grading.lms.marks import Absent
    from tlcourse.grading.lms.roster import Roster, read_roster
    from tlcourse.presenting.report.class_marks import marks_of, marks_of_class, without_verdict
    from tlcourse.presenting.report.late_words import lowered_marks
    from tlcourse.presenting.report.report_data import changed_since_marked, max_points
    from tlcourse.text import counted
    from tlcourse.text import line as text_line

    one_or_all(exercise, whole)
    if whole:
        if format_ not in (None, Format.CSV) or template or roster or item or scale:
            raise UsageError(
                "--all writes a plain table, which no platform imports.",
                cause="platforms take the marks of one exercise at a time.",
                remedy="tlcourse ta export --all --output FILE – or name an exercise",
            )
        _export_all(chosen, output, zero=missing is Missing.ZERO, json=json, plain=plain)
        return
    if format_ is None:
        raise UsageError("An export needs its --format.", remedy=f"--format {'|'.join(Format)}")
    with chosen.reading(exercise) as (found, book, record):
        statuses = book.statuses(record)
        if (open_ := without_verdict(statuses)) and not partial:
            raise UsageError(
                f"{len(open_)} hand-ins have no verdict yet: {', '.join(open_[:10])}.",
                cause="the batch was stopped, or they ended in internal errors.",
                remedy=f"tlcourse batch {found.about.id} SUBMISSIONS {'--resume' if record.can_go_on else '--again'} "
                f"– or set points by hand: tlcourse ta override {found.about.id} WHO --points N --why … – or export "
                "the others with --partial",
            )
        given = read_roster(roster) if roster else None
        # a list that is given here has the last word on who is in the class
        back = {one.id for one in given.people} if given else set()
        people = [
            one for one in book.person_statuses(record, statuses) if one.state != "left" or one.person.id not in back
        ]
        unmatched = book.look(record).unmatched
        known = people if book.people(record.id) else []
        if not partial:
            refuse_unclear(known, unmatched, record)
        if (to_mark := [one.named for one in people if one.state == "to mark"]) and not partial:
            raise UsageError(
                f"{counted(len(to_mark), 'person', 'people')} without all marks by hand: {', '.join(to_mark[:10])}.",
                cause="some parts of the exercise are marked by assistants, and not all are set.",
                remedy=f"tlcourse ta mark {found.about.id} WHO PART POINTS – or export the others with --partial",
            )
        # a folder may be anybody's, whatever it is called: while there is one, nobody is said to have handed in nothing
        zero = 0.0 if missing is Missing.ZERO and not unmatched else None
        marks = marks_of_class(marks_of(book, statuses, found), people, found, zero)
        elsewhere = book.elsewhere(record)
        since = changed_since_marked(book, found, statuses)
    said = list(left_out(people, unmatched, zero_asked=missing is Missing.ZERO))
    if since:
        owners = ", ".join(text_line(owner) for owner, _ in since)
        again = f"tlcourse ta mark {found.about.id} --todo"
        out.note(f"Changed since they were marked by hand, and exported as they were marked: {owners}. See: {again}")
    class_ = given or (Roster(tuple(one.person for one in known if one.state != "left")) if known else None)
    absent = Absent(
        zero,
        lambda person: "" if partial else may_be_in(person, "", unmatched),
        is_a_test_person,
        said.append,
        elsewhere,
    )
    made = exported(
        marks,
        format_.value,
        item=item or found.about.title,
        max_points=max_points(record, found),
        parts=list(part_maxima(found.about)),
        roster=class_,
        absent=absent if class_ else None,
        template=template,
        scale=scale,
    )
    data = made if isinstance(made, bytes) else made.encode("utf-8")
    for line in (*said, *lowered_marks(marks)):
        out.note(line)
    with_points = sum(mark.points is not None for mark in marks)
    if output is not None:
        write(output, data)
    if json:
        out.document({"schema": 1, "marks": marks, "written": output and str(output), "left_out": said})
    elif output is not None:
        out.say(f"written: {output}\nmarks: {with_points}" if plain else f"written: {output} ({with_points} marks)")
    elif isinstance(made, bytes) and sys.stdout.isatty():
        raise UsageError(f"The export for {format_.value} is not text.", remedy="--output FILE")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)


def _export_all(chosen: ChosenBatch, output: Path | None, *, zero: bool, json: bool, plain: bool) -> None:
    """All exercises in one CSV; who lacks what is said beside it."""
    from tlcourse.presenting.report.whole_course import course_document, csv_of, whole_course

    with chosen.reading_all() as (course, book):
        made = whole_course(book, course, zero=zero)
    for said in made.notices:
        out.note(said)
    if lacking := sum(bool(row.lacks) for row in made.rows):
        out.note(f"{lacking} of {len(made.rows)} people lack a mark of some exercise: the column `lacks` says which.")
    data = csv_of(made).encode("utf-8")
    if output is not None:
        write(output, data)
    if json:
        out.document({**course_document(made), "written": output and str(output)})
    elif output is not None:
        out.say(f"written: {output}" + (f"\npeople: {len(made.rows)}" if plain else f" ({len(made.rows)} people)"))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)


def add_to(app: typer.Typer) -> None:
    """Make it a command of `tlcourse ta`."""
    app.command("export")(export)
