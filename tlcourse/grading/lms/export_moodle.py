"""Moodle's grading worksheet: filled in, with every other column left as it was, since Moodle compares them.

Moodle refuses points above the maximum; Brightspace and Canvas may be set to take them, so there they are exported.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from tlcourse.errors import UsageError
from tlcourse.execution.log import harmless
from tlcourse.grading.lms.marks import Mark, settle
from tlcourse.grading.lms.names import visible
from tlcourse.grading.lms.roster import Roster
from tlcourse.grading.lms.table import cell, number, write_table
from tlcourse.grading.lms.template import Template, factor, points, read_template

_HEADERS = (
    *("Identifier", "Full name", "Email address", "Status", "Group", "Grade", "Maximum Grade"),
    *("Grade can be changed", "Last modified (submission)", "Last modified (grade)", "Feedback comments"),
)


def moodle(
    marks: Sequence[Mark], item: str, max_points: float, roster: Roster | None, template: Path | None, scale: bool
) -> str:
    """See `exports.export`; `item` matters only where the worksheet's column of grades is not called Grade."""
    if template is None:
        return _without_template(marks, max_points, roster)
    own = read_template(template)
    table = own.table
    grade = table.column("Grade", item)
    if grade is None or table.column("Identifier") is None:
        raise UsageError(
            f"{template} is no grading worksheet of Moodle.",
            cause=f"it lacks the columns Identifier and Grade: {visible(', '.join(table.headers))}.",
            remedy="in Moodle, turn on the offline grading worksheet, and download it from the assignment.",
        )
    maximum = table.column("Maximum Grade")
    by = factor(own, table.rows[0][maximum] if maximum is not None else "", max_points, scale)
    settled = settle(marks, roster, own.people, most=max_points)
    _refuse_locked(own, [(own.rows[person.id], points(mark.points, by, "")) for person, mark in settled], grade)
    comments = table.column("Feedback comments")
    rows = [[cell(header) for header in table.headers]]
    for person, mark in settled:
        row = [_kept(text) for text in own.rows[person.id]]
        row[grade] = points(mark.points, by, row[grade])
        if comments is not None and mark.feedback:
            row[comments] = comment(mark.feedback)
        rows.append(row)
    return write_table(rows, delimiter=table.delimiter, bom=table.bom)


def comment(text: str) -> str:
    """Feedback as Moodle's HTML, with nothing of the student's output taken as markup, on one line."""
    return cell("<br>".join(html.escape(line) for line in harmless(text).strip().splitlines()))


def _without_template(marks: Sequence[Mark], max_points: float, roster: Roster | None) -> str:
    """Possible where the roster is a worksheet or participant list that has Moodle's numbers."""
    without = [person for person in roster.people if not person.platform_id] if roster else None
    if without is None or without:
        raise UsageError(
            "Moodle knows people by participant numbers, and the class list has none.",
            cause="it was exported elsewhere.",
            remedy="add --template with the grading worksheet that Moodle gives out for the assignment",
        )
    rows = [list(_HEADERS)]
    for person, mark in settle(marks, roster, None, most=max_points):
        who = [f"Participant {cell(person.platform_id)}", cell(person.name), cell(person.email), "", ""]
        grade = [points(mark.points, 1.0), number(max_points), "Yes", "-", "-"]
        rows.append([*who, *grade, comment(mark.feedback)])
    return write_table(rows)


def _refuse_locked(own: Template, filled: list[tuple[tuple[str, ...], str]], grade: int) -> None:
    """Moodle passes over grades that may not be changed, and says so to nobody."""
    at, name = own.table.column("Grade can be changed"), own.table.column("Full name")
    if at is None or name is None:
        return
    locked = [row[name] for row, new in filled if row[at].casefold() == "no" and new not in ("", row[grade])]
    if locked:
        raise UsageError(
            f"Nothing was exported: {len(locked)} grades are locked in Moodle: {visible('; '.join(locked))}.",
            cause="they were locked, or overridden in the gradebook.",
            remedy="unlock them in Moodle, and download the worksheet again.",
        )


def _kept(text: str) -> str:
    """The staff's own cell; a lone hyphen is Moodle's "never", and no formula."""
    return text if text == "-" else cell(text)
