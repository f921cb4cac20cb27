"""What the staff decides of marks: a row each, with who, when and why."""

from __future__ import annotations

from typing import Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import ExerciseName, Json, Plain
from tlcourse.cli.staff_options import ChosenBatch, Who, user
from tlcourse.errors import UsageError


def override(
    exercise: ExerciseName,
    whom: Annotated[
        str,
        typer.Argument(metavar="WHO", help="A group, a folder, or anybody of the lists: id, user name, address, name."),
    ],
    chosen: ChosenBatch,
    points: Annotated[float | None, typer.Option("--points", min=0, help="The points that count.")] = None,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Let the graded points count again.")] = False,
    excuse: Annotated[bool, typer.Option("--excuse", help="No mark is to be given, and none is missing.")] = False,
    who: Who = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Set somebody's points by hand: a new row with who, when and why, which a regrade leaves in force."""
    from tlcourse.grading.gradebook.people import targets_of

    if (points is not None) + withdraw + excuse != 1:
        raise UsageError("Give one of --points, --withdraw, --excuse.", remedy='such as: --points 8 --why "…"')
    if not why.strip():
        raise UsageError(
            "An override needs its reason.", cause="marks that were changed are asked about later.", remedy='--why "…"'
        )
    with chosen.writing(exercise, "tlcourse ta override") as (found, book, record):
        if points is not None and points > record.max_points:
            raise UsageError(
                f"{points:g} points are more than the {record.max_points:g} of {found.about.id}.",
                remedy=f"--points {record.max_points:g}",
            )
        targets = targets_of(book.handins(record.id), book.people(record.id), book.groups(record.id), whom)
        for target in targets:
            book.override(found.about.id, target, points, who=who or user(), why=why.strip(), excused=excuse)
    words = "excused" if excuse else "as graded" if points is None else f"{points:g}"
    if json:
        decided = {"target": targets[0], "targets": targets, "points": points, "excused": excuse}
        out.document({"schema": 1, "exercise": found.about.id, **decided})
    elif plain:
        out.say("\n".join([*(f"target: {target}" for target in targets), f"points: {words}"]))
    elif points is None:
        out.say(f"{whom}: " + ("excused." if excuse else "the graded points count again."))
    else:
        out.say(f"{whom}: {points:g} points.")


def move(
    exercise: ExerciseName,
    whom: Annotated[str, typer.Argument(metavar="WHO", help="Somebody of the lists: id, user name, address or name.")],
    group: Annotated[str, typer.Argument(metavar="GROUP", help="The group whose mark is theirs from now on.")],
    chosen: ChosenBatch,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    who: Who = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Give somebody the mark of another group than the one they handed in with: a new row with who, when and why."""
    from tlcourse.grading.gradebook.people import group_of, person_of

    if not why.strip():
        raise UsageError("A move needs its reason.", cause="it changes a mark.", remedy='--why "…"')
    with chosen.writing(exercise, "tlcourse ta move") as (found, book, record):
        handins, groups = book.handins(record.id), book.groups(record.id)
        person = person_of(handins, book.people(record.id), whom)
        named = group_of(handins, groups, group)
        book.move(record.id, person, named, who=who or user(), why=why.strip())
    if json:
        out.document({"schema": 1, "exercise": found.about.id, "person": person, "group": named})
    else:
        out.say(f"person: {person}\ngroup: {named}" if plain else f"{person} has the mark of {named}.")


def add_to(app: typer.Typer) -> None:
    """Make these commands of `tlcourse ta`."""
    app.command("override")(override)
    app.command("move")(move)
