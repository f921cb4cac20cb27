"""All exercises of a course in one table: everybody's points by check and part, sums, and who lacks what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

from tlcourse.course.model import LoadedCourse, LoadedExercise
from tlcourse.grading.gradebook.by_hand import part_maxima, part_points, points_by_check
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.people import STATES, PersonStatus, State
from tlcourse.grading.gradebook.records import BatchRecord
from tlcourse.grading.lms.roster import Person
from tlcourse.grading.lms.table import cell, number, write_table
from tlcourse.presenting.report.late_words import late_note
from tlcourse.presenting.report.report_data import five_numbers, max_points
from tlcourse.text import line, markdown

LACKING: tuple[State, ...] = ("nothing", "unmatched", "waiting", "ours", "to mark", "elsewhere")
"""States in which somebody's mark is not there yet, or there is none."""


class Column(Struct, frozen=True):
    """An exercise, and the batch of it that is shown."""

    exercise: str
    title: str
    batch: int
    max_points: float
    parts: dict[str, float]
    """The most that each check, and each item marked by hand, gives."""


class Cell(Struct, frozen=True):
    """Where somebody stands in an exercise."""

    state: State | Literal["not listed"]
    points: float | None = None
    parts: dict[str, float] = {}
    handin: str = ""
    batch: int = 0
    """The one that the mark is from."""
    late: str = ""
    """How late it was, and what that took off, in words."""


class Row(Struct, frozen=True):
    """One person, in all exercises."""

    person: Person
    cells: dict[str, Cell]
    total: float
    """The sum of the points that are there."""
    max_total: float
    """The most that they could have: exercises of which they are excused do not count."""
    lacks: dict[str, str]
    """The exercises in which there is no mark, each with the reason in words."""


class WholeCourse(Struct, frozen=True):
    """The table."""

    title: str
    columns: list[Column]
    not_graded: list[str]
    """Exercises of which no batch was graded."""
    rows: list[Row]
    notices: list[str] = []


def whole_course(book: Gradebook, course: LoadedCourse, *, zero: bool = False) -> WholeCourse:
    """Everybody in every exercise, by the newest batch of each, and for those whom it lacks by an older that has them.

    `zero`: who handed in nothing has 0 points instead of none, where no folder of the batch is nobody's.
    """
    columns, cells, people, notices, not_graded = [], dict[str, dict[str, Cell]](), dict[str, Person](), [], []
    for name, exercise in course.exercises.items():
        batches = list(reversed(book.batches(name)))
        if not batches:
            not_graded.append(name)
            continue
        own: dict[str, Cell] = {}
        for batch in batches:
            for status, found in _of_batch(book, batch, exercise):
                key = status.person.id
                if key not in people or (status.person.last and not people[key].last):
                    people[key] = status.person
                before = own.get(key)
                if before is None or (before.state == "elsewhere" and found.handin):
                    own[key] = found
        if unmatched := book.look(batches[0]).unmatched:
            notices.append(f"{name}: not matched: {', '.join(line(folder, 80) for folder, _ in unmatched[:20])}")
        elif zero:
            own = {key: Cell("nothing", 0.0) if one.state == "nothing" else one for key, one in own.items()}
        columns.append(
            Column(
                *(name, exercise.about.title, batches[0].id),
                max_points(batches[0], exercise),
                part_maxima(exercise.about),
            )
        )
        cells[name] = own
    rows = [_row(person, columns, cells) for person in people.values()]
    if gone := [row for row in rows if all(one.state in ("left", "not listed") for one in row.cells.values())]:
        notices.append(f"left the class, and not shown: {', '.join(line(named(row), 80) for row in gone[:20])}")
        rows = [row for row in rows if row not in gone]
    return WholeCourse(course.about.title, columns, not_graded, rows, notices)


def _of_batch(book: Gradebook, batch: BatchRecord, exercise: LoadedExercise) -> Iterator[tuple[PersonStatus, Cell]]:
    statuses = book.statuses(batch)
    checks = points_by_check(book, batch.id)
    listed = bool(book.people(batch.id))
    theirs = {one: status for status in statuses for one in status.handin.marked(class_known=listed)}
    for one in book.person_statuses(batch, statuses):
        key, parts, late = one.person.id, dict[str, float](), ""
        if one.state == "left":  # their marks are kept, and given out no more
            yield one, Cell(one.state, batch=batch.id)
            continue
        if (status := theirs.get(key)) is not None:
            parts, late = part_points(exercise.about, status, key, checks), late_note(status, key)
        elif one.hand is not None:
            got = {item.id: one.hand.points_of(item.id) for item in exercise.about.manual}
            parts = {name: points for name, points in got.items() if points is not None}
        yield one, Cell(one.state, one.points, parts, one.owner, batch.id, late)


def _row(person: Person, columns: list[Column], cells: dict[str, dict[str, Cell]]) -> Row:
    own = {column.exercise: cells[column.exercise].get(person.id, Cell("not listed")) for column in columns}
    count = [column for column in columns if own[column.exercise].state not in ("excused", "left")]
    return Row(
        person,
        own,
        sum(one.points or 0.0 for one in own.values()),
        sum(column.max_points for column in count),
        {name: state_words(one) for name, one in own.items() if one.state in (*LACKING, "not listed")},
    )


def state_words(one: Cell) -> str:
    """The state of a mark, in words."""
    return "not in its class list" if one.state == "not listed" else STATES[one.state]


def csv_of(course: WholeCourse) -> str:
    """A row for each person: of each exercise the points, the state and the parts; then sums, and what is lacking."""
    headers = ["id", "username", "last name", "first name"]
    some_late = {name for row in course.rows for name, one in row.cells.items() if one.late}
    for column in course.columns:
        headers += [f"{column.exercise} points", f"{column.exercise} state"]
        headers += [f"{column.exercise} {part}" for part in column.parts]
        headers += [f"{column.exercise} late"] * (column.exercise in some_late)
    rows = [[*headers, "total", "max total", "lacks"]]
    for row in course.rows:
        person = row.person
        cells = [cell(text) for text in (person.id, person.username, person.last, person.first)]
        for column in course.columns:
            own = row.cells[column.exercise]
            cells += [_points(own.points), cell(state_words(own))]
            cells += [_points(own.parts.get(part)) for part in column.parts]
            cells += [cell(own.late)] * (column.exercise in some_late)
        rows.append([*cells, number(row.total), number(row.max_total), cell(" ".join(row.lacks))])
    return write_table(rows)


def _points(points: float | None) -> str:
    return "" if points is None else number(points)


def course_lines(course: WholeCourse) -> Iterator[str]:
    """One fact a line."""
    yield f"{course.title}: {len(course.rows)} people, {len(course.columns)} exercises"
    for column in course.columns:
        yield f"{column.exercise}: batch {column.batch}, {summary(course, column)}"
    yield from (f"{name}: no batch was graded" for name in course.not_graded)
    yield f"total: {five_numbers([row.total for row in course.rows])}"
    for row in course.rows:
        points = ", ".join(f"{name} {shown(own)}" for name, own in row.cells.items())
        yield f"{line(named(row))}: {row.total:g} of {row.max_total:g}: {points}"
    for row in course.rows:
        if row.lacks:
            yield f"lacks: {line(named(row))}: {', '.join(f'{name} ({why})' for name, why in row.lacks.items())}"
    yield from course.notices


def course_markdown(course: WholeCourse) -> str:
    """The same as Markdown."""
    names = [column.exercise for column in course.columns]
    table = [f"| person | {' | '.join(names)} | total |", "|---" * (len(names) + 2) + "|"]
    table += [
        f"| {markdown(named(row))} | {' | '.join(shown(row.cells[name]) for name in names)} "
        f"| {row.total:g} of {row.max_total:g} |"
        for row in course.rows
    ]
    listed = [f"{column.exercise}: batch {column.batch}, {summary(course, column)}" for column in course.columns]
    listed += [*(f"{name}: no batch was graded" for name in course.not_graded), *course.notices]
    said = "\n".join(f"- {markdown(one)}" for one in listed)
    return f"# {markdown(course.title)}\n\n" + "\n".join(table) + f"\n\n{said}\n"


def summary(course: WholeCourse, column: Column) -> str:
    """Of how many points, and how they are spread."""
    got = [own.points for row in course.rows if (own := row.cells[column.exercise]).points is not None]
    return f"{len(got)} marks of {column.max_points:g} points: {five_numbers([one for one in got if one is not None])}"


def shown(own: Cell) -> str:
    """The points, or why there are none."""
    if own.points is None:
        return state_words(own)
    return f"{own.points:g}" + (f" ({own.late})" if own.late else "")


def named(row: Row) -> str:
    """`Jane Doe (400123)`."""
    return row.person.id if row.person.name == row.person.id else f"{row.person.name} ({row.person.id})"


def course_document(course: WholeCourse) -> dict[str, Any]:
    """For `--json`."""
    return {
        "schema": 1,
        "course": course.title,
        "exercises": course.columns,
        "not_graded": course.not_graded,
        "people": [
            {
                "id": row.person.id,
                "name": row.person.name,
                "exercises": row.cells,
                "total": row.total,
                "max_total": row.max_total,
                "lacks": row.lacks,
            }
            for row in course.rows
        ],
        "notices": course.notices,
    }
