"""Marks as a plain table, for whatever is not a platform."""

from __future__ import annotations

from collections.abc import Sequence

from tlcourse.grading.lms.marks import Mark, settle
from tlcourse.grading.lms.roster import Roster
from tlcourse.grading.lms.table import cell, number, write_table
from tlcourse.grading.lms.template import points

HEADERS = ("id", "username", "last name", "first name", "hand-in", "points", "max points", "outcome", "feedback")


def plain(marks: Sequence[Mark], max_points: float, roster: Roster | None) -> str:
    """See `exports.export`; in the order of the roster."""
    rows = [list(HEADERS)]
    for person, mark in settle(marks, roster, None):
        who = [cell(text) for text in (person.id, person.username, person.last, person.first, mark.owner)]
        marked = [points(mark.points, 1.0), number(max_points), cell(mark.outcome), cell(mark.feedback)]
        rows.append([*who, *marked])
    return write_table(rows)
