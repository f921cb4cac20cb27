"""Canvas's grade import: the identifying columns, one item, and the row of points possible."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tlcourse.errors import UsageError
from tlcourse.grading.lms.marks import Mark, settle
from tlcourse.grading.lms.roster import Person, Roster
from tlcourse.grading.lms.table import Table, cell, number, write_table
from tlcourse.grading.lms.template import Template, factor, item_column, points, read_template

_WHO = ("Student", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account", "Section")
_ITEM = re.compile(r"(?P<name>.*\S)\s+\(\d+\)", re.DOTALL)
_POSSIBLE = "    Points Possible"


def canvas(
    marks: Sequence[Mark], item: str, max_points: float, roster: Roster | None, template: Path | None, scale: bool
) -> str:
    """See `exports.export`."""
    if template is None:
        return _without_template(marks, item, max_points, roster)
    own = read_template(template)
    table = own.table
    columns = [i for name in _WHO if (i := table.column(name)) is not None]
    if table.column("ID") is None or table.column("Student") is None:
        raise UsageError(
            f"{template} is no grade export of Canvas.",
            cause="it lacks the columns Student and ID.",
            remedy="export the gradebook from Canvas, and do not remove columns.",
        )
    at = item_column(own, item, _bare)
    worth = _possible(own, table, at)
    by = factor(own, worth, max_points, scale)
    first = [*("" for _ in columns), worth or number(max_points)]
    first[columns.index(_column(table, "Student"))] = _POSSIBLE
    rows = [[*(cell(table.headers[i]) for i in columns), cell(table.headers[at])], first]
    for person, mark in settle(marks, roster, own.people):
        row = own.rows[person.id]
        rows.append([*(cell(row[i]) for i in columns), points(mark.points, by, cell(row[at]))])
    return write_table(rows, delimiter=table.delimiter, bom=table.bom)


def _without_template(marks: Sequence[Mark], item: str, max_points: float, roster: Roster | None) -> str:
    """Canvas takes a column with an unknown name as a new item."""
    headers = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", cell(item)]
    rows = [headers, [_POSSIBLE, "", "", "", "", number(max_points)]]
    for person, mark in settle(marks, roster, None):
        sis = person.id if person.id != person.platform_id else ""
        ids = [cell(person.platform_id), cell(sis), cell(person.username), ""]
        rows.append([cell(_last_first(person)), *ids, points(mark.points, 1.0)])
    return write_table(rows)


def _possible(own: Template, table: Table, at: int) -> str:
    """The item's points possible, from the row above the students; "" without it."""
    student = _column(table, "Student")
    return next((row[at] for row in table.rows if row[student].casefold().startswith("points possible")), "")


def _column(table: Table, name: str) -> int:
    at = table.column(name)
    assert at is not None
    return at


def _last_first(person: Person) -> str:
    return f"{person.last}, {person.first}" if person.last and person.first else person.name


def _bare(header: str) -> str | None:
    match = _ITEM.fullmatch(header)
    return match["name"] if match else None
