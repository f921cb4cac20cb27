"""`tlcourse ta rank`: a class in the order of one measurement, what places earn, and the board that students see."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import ExerciseName, Json, Plain
from tlcourse.cli.staff_options import Anonymous, ChosenBatch, Who, write
from tlcourse.errors import UsageError
from tlcourse.storage import user

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.presenting.report.ranking import Ranking


def rank(
    exercise: ExerciseName,
    chosen: ChosenBatch,
    check: Annotated[
        str, typer.Option("--check", metavar="ID", help="The check to rank by; needless where there is only one.")
    ] = "",
    bonus: Annotated[
        str, typer.Option("--bonus", metavar="POINTS,…", help="What the first place earns, the second, and so on.")
    ] = "",
    mark: Annotated[
        str, typer.Option("--mark", metavar="ITEM", help="Set these points as those of an item marked by hand.")
    ] = "",
    board: Annotated[
        list[Path] | None,
        typer.Option(
            "--board", metavar="FILE", help="Write places without names for students: .html or .json; again for both."
        ),
    ] = None,
    anonymous: Anonymous = False,
    who: Who = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """The class in the order of one measurement; who differ by less than it can tell share a place, and its bonus."""
    from tlcourse.presenting.report.ranking import ranked_check, ranking, ranking_lines

    if board:
        if check or bonus or mark or anonymous:
            raise UsageError("--board goes by the check that exercise.yaml names, and alone.", remedy="two commands")
        _write_board(exercise, chosen, board, json=json, plain=plain)
        return
    earns = _numbers(bonus)
    opened = chosen.writing(exercise, "tlcourse ta rank --mark") if mark else chosen.reading(exercise)
    with opened as (found, book, record):
        name = ranked_check(found, check)
        made = ranking(book, record, found, name, earns)
        if mark:
            _mark_places(book, found, made, mark, who or user())
        owners = {one.key: one.owner for one in book.handins(record.id)}
        if anonymous:
            from tlcourse.presenting.report.pseudonyms import CANNOT, names_of

            handins = book.handins(record.id)
            names = names_of(book, [one.person for one in book.person_statuses(record, book.statuses(record))], handins)
            owners = {one.key: names.owner(one) for one in handins}
            out.note(CANNOT)
    if made.self_reported:
        out.note(f"{name} rests on what the worker reported, which student code could forge: look before it counts.")
    if json:
        rows = [
            {"place": row.place, "owner": owners[row.handin.key], "value": row.value, "interval": row.interval}
            | {"bonus": row.bonus}
            for row in made.rows
        ]
        unmeasured = [owners[one.key] for one in made.unmeasured]
        out.document({"schema": 1, "exercise": found.about.id, "check": name, "rows": rows, "unmeasured": unmeasured})
        return
    if not plain:
        better = "less" if made.direction == "at_most" else "more"
        out.say(f"{found.about.id}, by {name}: {made.title} ({better} is better; = shares a place)")
    for text in ranking_lines(made, owners):
        out.say(text)


def _write_board(exercise: str, chosen: ChosenBatch, files: list[Path], *, json: bool, plain: bool) -> None:
    """Places without names, by validation items, as the files that are asked for."""
    from tlcourse.presenting.board import as_file, board_of, what_it_is
    from tlcourse.presenting.report.as_html import board_page

    if wrong := [file for file in files if file.suffix not in (".html", ".json")]:
        raise UsageError(f"{wrong[0]} is neither a .html nor a .json.", remedy="--board board.html --board board.json")
    with chosen.reading(exercise) as (found, book, record):
        made = board_of(book, record, found)
    for file in files:
        write(file, board_page(made).encode() if file.suffix == ".html" else as_file(made))
    if json:
        out.document({"board": made, "written": [str(file) for file in files], "schema": 1})
        return
    for file in files:
        out.say(f"written: {file}")
    if not plain:
        for said in what_it_is(made):
            out.note(said)
        if any(file.suffix == ".json" for file in files):
            out.note(
                f"Students: tlcourse exercise board {exercise} FILE; or put it beside the course as "
                f"exercises/{found.folder.name}/board.json."
            )


def _numbers(text: str) -> list[float]:
    """`5,4,3` as numbers, none of them negative."""
    try:
        found = [float(one) for one in text.split(",") if one.strip()]
    except ValueError:
        found = [-1.0]
    if all(0 <= one < math.inf for one in found):
        return found
    raise UsageError(f"{text!r} is not a list of points.", remedy="such as: --bonus 5,4,3,2,1")


def _mark_places(book: Gradebook, exercise: LoadedExercise, made: Ranking, item: str, who: str) -> None:
    """What each place earns as a mark by hand, with the place as its reason; who has it already gets no second row."""
    from tlcourse.grading.gradebook.by_hand import hand_marks, in_force, item_called, set_mark

    name = exercise.about.id
    found = item_called(exercise.about, item)
    item, most = found.id, found.max_points
    if over := [row.bonus for row in made.rows if row.bonus > most]:
        raise UsageError(f"{max(over):g} points are more than the {most:g} of {item}.", remedy="give less with --bonus")
    before = in_force(hand_marks(book, name))
    places = [(row.handin, row.bonus, f"place {row.place} of {len(made.rows)} by {made.check}") for row in made.rows]
    places += [(handin, 0.0, f"not measured by {made.check}") for handin in made.unmeasured]
    for handin, points, why in places:
        own = before.get(handin.key, {}).get(item)
        if own is None or own.points != points:
            set_mark(book, name, handin.key, item, points, own.comment if own else "", who=who, why=why)
