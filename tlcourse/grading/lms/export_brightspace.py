"""Brightspace's grade import: ids, one item's points, and the end-of-line indicator; no names, no e-mail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tlcourse.execution.log import harmless
from tlcourse.grading.lms.marks import Mark, settle
from tlcourse.grading.lms.roster import Roster
from tlcourse.grading.lms.table import cell, write_table
from tlcourse.grading.lms.template import factor, item_column, points, read_template

_END = "End-of-Line Indicator"
# `Assignment 1 Points Grade <Numeric MaxPoints:13 Weight:10 Category:Assignments CategoryWeight:15>`
_ITEM = re.compile(r"(?P<name>.*\S)\s+Points Grade\s*(?P<decoration><.*>)?\s*", re.IGNORECASE | re.DOTALL)
_WORTH = re.compile(r"MaxPoints:\s*(\d+(?:[.,]\d+)?)", re.IGNORECASE)


def brightspace(
    marks: Sequence[Mark], item: str, max_points: float, roster: Roster | None, template: Path | None, scale: bool
) -> str:
    """See `exports.export`."""
    if template is None:
        return _without_template(marks, item, roster)
    own = read_template(template)
    table = own.table
    at = item_column(own, item, _bare)
    worth = _WORTH.search(table.headers[at])
    by = factor(own, worth[1] if worth else "", max_points, scale)
    ids = [i for name in ("OrgDefinedId", "Username") if (i := table.column(name)) is not None]
    rows = [[*(cell(table.headers[i]) for i in ids), cell(table.headers[at]), _END]]
    for person, mark in settle(marks, roster, own.people):
        row = own.rows[person.id]
        rows.append([*(cell(row[i]) for i in ids), points(mark.points, by, cell(row[at])), "#"])
    return write_table(rows, delimiter=table.delimiter, bom=table.bom)


def _without_template(marks: Sequence[Mark], item: str, roster: Roster | None) -> str:
    """Ids with `#` before them, as Brightspace's own exports have it: a spreadsheet then keeps leading zeros."""
    rows = [["OrgDefinedId", "Username", f"{cell(item)} Points Grade", _END]]
    for person, mark in settle(marks, roster, None):
        rows.append([_marked(person.id), _marked(person.username), points(mark.points, 1.0), "#"])
    return write_table(rows)


def _marked(text: str) -> str:
    return "#" + " ".join(harmless(text).split()) if text else ""


def _bare(header: str) -> str | None:
    match = _ITEM.fullmatch(header)
    return match["name"] if match else None
