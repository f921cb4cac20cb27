"""Marks, and feedback, in the form that a platform takes back."""

from __future__ import annotations

import html
import io
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal, assert_never

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.lms.handins import HandIns
from tlcourse.grading.lms.marks import Absent, Mark, Template, factor, item_column, one_mark_each, points, read_template
from tlcourse.grading.lms.roster import Person, Roster, visible
from tlcourse.grading.lms.table import Table, cell, number, write_table
from tlcourse.grading.lms.worksheet import NO
from tlcourse.text import harmless

Platform = Literal["brightspace", "canvas", "moodle", "gradescope", "csv"]


def export(
    marks: Sequence[Mark],
    platform: Platform,
    *,
    item: str,
    max_points: float,
    roster: Roster | None = None,
    template: Path | None = None,
    scale: bool = False,
    absent: Absent | None = None,
    parts: Sequence[str] = (),
) -> str | bytes:
    """The file that a platform imports: text to be written as UTF-8 with its line ends unchanged, or bytes of a ZIP.

    Everyone in the roster, and in the template, needs a mark: None as points says that there is none to give.

    Args:
        item: what the exercise is called in the platform's gradebook.
        template: the platform's own export; its headers and people are kept, and the item's column is filled in.
        parts: names of checks and items marked by hand, each of which is a column of a plain table.
        absent: what becomes of people without a mark; None: nothing is exported while there are some.
        scale: where the template's item has other maximum points than the exercise, convert; otherwise refuse.

    Raises:
        UsageError: someone is unmatched, missing, or marked twice, and the list says who; or the template has no such
            item. Nothing is exported then.
    """
    wanted = _Wanted(marks, item, max_points, roster, template, scale, absent, parts)
    match platform:
        case "brightspace":
            return _brightspace(wanted)
        case "canvas":
            return _canvas(wanted)
        case "moodle":
            return _moodle(wanted)
        case "gradescope":
            from tlcourse.grading.lms.gradescope import results_of_marks

            return results_of_marks(wanted.each(), item, max_points)
        case "csv":
            return _csv(wanted)
        case _:
            assert_never(platform)


class _Wanted(Struct, frozen=True):
    """What `export` was asked for."""

    marks: Sequence[Mark]
    item: str
    max_points: float
    roster: Roster | None
    template: Path | None
    scale: bool
    absent: Absent | None
    parts: Sequence[str]

    def each(self, own: Template | None = None, *, most: float = math.inf) -> list[tuple[Person, Mark]]:
        """Everyone, those of the platform's own export `own` included, with the one mark that counts."""
        return one_mark_each(self.marks, self.roster, own.people if own else None, self.absent, most=most)


# -- Brightspace: ids, one item's points, and the end-of-line indicator; no names, no e-mail ---------------------------

_BRIGHTSPACE_END = "End-of-Line Indicator"
# `Assignment 1 Points Grade <Numeric MaxPoints:13 Weight:10 Category:Assignments CategoryWeight:15>`
_BRIGHTSPACE_ITEM = re.compile(r"(?P<name>.*\S)\s+Points Grade\s*+(?:<[^<]*>)?\s*", re.IGNORECASE | re.DOTALL)
_BRIGHTSPACE_WORTH = re.compile(r"MaxPoints:\s*(\d+(?:[.,]\d+)?)", re.IGNORECASE)


def _brightspace(wanted: _Wanted) -> str:
    if wanted.template is None:
        return _brightspace_without_template(wanted)
    own = read_template(wanted.template)
    table = own.table
    at = item_column(own, wanted.item, _brightspace_item)
    worth = _BRIGHTSPACE_WORTH.search(table.headers[at])
    by = factor(own, worth[1] if worth else "", wanted.max_points, wanted.scale)
    ids = [i for name in ("OrgDefinedId", "Username") if (i := table.column(name)) is not None]
    rows = [[*(cell(table.headers[i]) for i in ids), cell(table.headers[at]), _BRIGHTSPACE_END]]
    for person, mark in wanted.each(own):
        row = own.rows[person.id]
        rows.append([*(cell(row[i]) for i in ids), points(mark.points, by, cell(row[at])), "#"])
    return write_table(rows, delimiter=table.delimiter, bom=table.bom)


def _brightspace_without_template(wanted: _Wanted) -> str:
    """Ids with `#` before them, as Brightspace's own exports have it: a spreadsheet then keeps leading zeros."""
    rows = [["OrgDefinedId", "Username", f"{cell(wanted.item)} Points Grade", _BRIGHTSPACE_END]]
    for person, mark in wanted.each():
        rows.append([_with_mark(person.id), _with_mark(person.username), points(mark.points, 1.0), "#"])
    return write_table(rows)


def _with_mark(text: str) -> str:
    return "#" + " ".join(harmless(text).split()) if text else ""


def _brightspace_item(header: str) -> str | None:
    match = _BRIGHTSPACE_ITEM.fullmatch(header)
    return match["name"] if match else None


# -- Canvas: the identifying columns, one item, and the row of points possible -----------------------------------------

_CANVAS_WHO = ("Student", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account", "Section")
_CANVAS_ITEM = re.compile(r"(?P<name>.*\S)\s+\(\d+\)", re.DOTALL)
_CANVAS_POSSIBLE = "    Points Possible"


def _canvas(wanted: _Wanted) -> str:
    if wanted.template is None:
        return _canvas_without_template(wanted)
    own = read_template(wanted.template)
    table = own.table
    columns = [i for name in _CANVAS_WHO if (i := table.column(name)) is not None]
    if table.column("ID") is None or table.column("Student") is None:
        raise UsageError(
            f"{wanted.template} is not a grade export of Canvas.",
            cause="it lacks the columns Student and ID.",
            remedy="export the gradebook from Canvas, and do not remove columns.",
        )
    at = item_column(own, wanted.item, _canvas_item)
    worth = _possible(own, table, at)
    by = factor(own, worth, wanted.max_points, wanted.scale)
    first = [*("" for _ in columns), worth or number(wanted.max_points)]
    first[columns.index(_column(table, "Student"))] = _CANVAS_POSSIBLE
    rows = [[*(cell(table.headers[i]) for i in columns), cell(table.headers[at])], first]
    for person, mark in wanted.each(own):
        row = own.rows[person.id]
        rows.append([*(cell(row[i]) for i in columns), points(mark.points, by, cell(row[at]))])
    return write_table(rows, delimiter=table.delimiter, bom=table.bom)


def _canvas_without_template(wanted: _Wanted) -> str:
    """Canvas takes a column with an unknown name as a new item."""
    headers = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", cell(wanted.item)]
    rows = [headers, [_CANVAS_POSSIBLE, "", "", "", "", number(wanted.max_points)]]
    for person, mark in wanted.each():
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


def _canvas_item(header: str) -> str | None:
    match = _CANVAS_ITEM.fullmatch(header)
    return match["name"] if match else None


# -- Moodle: its grading worksheet filled in, every other column left as it was, since Moodle compares them ------------
# It refuses points above the maximum; Brightspace and Canvas may be set to take them, so there they are exported.

_MOODLE_HEADERS = (
    *("Identifier", "Full name", "Email address", "Status", "Group", "Grade", "Maximum Grade"),
    *("Grade can be changed", "Last modified (submission)", "Last modified (grade)", "Feedback comments"),
)


def _moodle(wanted: _Wanted) -> str:
    """`item` matters only where the worksheet's column of grades is not called Grade."""
    if wanted.template is None:
        return _moodle_without_template(wanted)
    own = read_template(wanted.template)
    table = own.table
    grade = table.column("Grade", wanted.item)
    if grade is None or table.column("Identifier") is None:
        raise UsageError(
            f"{wanted.template} is not a grading worksheet of Moodle.",
            cause=f"no column is known as Identifier or Grade: {visible(', '.join(table.headers))}. In another "
            "language they are told by a word with a number in each row, and by the maximum beside the grade.",
            remedy="in Moodle, turn on the offline grading worksheet, and download it from the assignment "
            "(in English where it uses a scale).",
        )
    maximum = table.column("Maximum Grade")
    by = factor(own, table.rows[0][maximum] if maximum is not None else "", wanted.max_points, wanted.scale)
    settled = wanted.each(own, most=wanted.max_points)
    _refuse_locked(own, [(own.rows[person.id], points(mark.points, by, "")) for person, mark in settled], grade)
    comments = table.column("Feedback comments")
    rows = [[cell(header) for header in table.headers]]
    for person, mark in settled:
        row = [_kept(text) for text in own.rows[person.id]]
        row[grade] = points(mark.points, by, row[grade])
        if comments is not None and mark.feedback:
            row[comments] = _comment(mark.feedback)
        rows.append(row)
    return write_table(rows, delimiter=table.delimiter, bom=table.bom)


def _comment(text: str) -> str:
    """Feedback as Moodle's HTML, with nothing of the student's output taken as markup, on one line."""
    return cell("<br>".join(html.escape(line) for line in harmless(text).strip().splitlines()))


def _moodle_without_template(wanted: _Wanted) -> str:
    """Possible where the roster is a worksheet or participant list that has Moodle's numbers."""
    without = [person for person in wanted.roster.people if not person.platform_id] if wanted.roster else None
    if without is None or without:
        raise UsageError(
            "Moodle knows people by participant numbers, and the class list has none.",
            cause="it was exported elsewhere.",
            remedy="add --template with the grading worksheet that Moodle gives out for the assignment",
        )
    rows = [list(_MOODLE_HEADERS)]
    for person, mark in wanted.each(most=wanted.max_points):
        who = [f"Participant {cell(person.platform_id)}", cell(person.name), cell(person.email), "", ""]
        grade = [points(mark.points, 1.0), number(wanted.max_points), "Yes", "-", "-"]
        rows.append([*who, *grade, _comment(mark.feedback)])
    return write_table(rows)


def _refuse_locked(own: Template, filled: list[tuple[tuple[str, ...], str]], grade: int) -> None:
    """Moodle passes over grades that may not be changed, and says so to nobody."""
    at, name = own.table.column("Grade can be changed"), own.table.column("Full name")
    if at is None or name is None:
        return
    locked = [row[name] for row, new in filled if row[at].casefold() in NO and new not in ("", row[grade])]
    if locked:
        raise UsageError(
            f"Nothing was exported: {len(locked)} grades are locked in Moodle: {visible('; '.join(locked))}.",
            cause="they were locked, or overridden in the gradebook.",
            remedy="unlock them in Moodle, and download the worksheet again.",
        )


def _kept(text: str) -> str:
    """The staff's own cell; a lone hyphen is Moodle's "never", and no formula."""
    return text if text == "-" else cell(text)


# -- whatever is not a platform: a plain table -------------------------------------------------------------------------

_CSV_HEADERS = ("id", "username", "last name", "first name", "hand-in", "points", "max points", "outcome", "feedback")
_CSV_LATE = ("handed in", "days late", "points before", "late")


def _csv(wanted: _Wanted) -> str:
    """In the order of the roster."""
    rows = [[*_CSV_HEADERS, *wanted.parts, *_CSV_LATE]]
    for person, mark in wanted.each():
        who = [cell(text) for text in (person.id, person.username, person.last, person.first, mark.owner)]
        marked = [points(mark.points, 1.0), number(wanted.max_points), cell(mark.outcome), cell(mark.feedback)]
        parts = [points(mark.parts.get(part), 1.0) for part in wanted.parts]
        days = "" if mark.days_late is None else str(mark.days_late)
        late = [cell(mark.submitted_at), days, points(mark.before, 1.0), cell(mark.late)]
        rows.append([*who, *marked, *parts, *late])
    return write_table(rows)


# -- feedback, under the folder names of the download, so that the platform gives each file to its owner ---------------

_DATE = (1980, 1, 1, 0, 0, 0)  # the same feedback is the same ZIP


def pack_feedback(files: Mapping[str, Mapping[str, bytes]], origin: HandIns) -> bytes:
    """A ZIP that Brightspace and Moodle take back: `files[folder_name][name]`, with folder names of `origin`.

    Where Moodle has one folder for each member of a group, each gets the feedback.

    Raises:
        UsageError: a folder is none of the download's, or a file's name would leave its folder.
    """
    twins = {handin.folder_name: handin.twins for handin in origin.found}
    strange = sorted(set(files) - set(twins))
    if strange:
        raise UsageError(
            f"{len(strange)} folders are not in the download: {', '.join(map(visible, strange[:5]))}.",
            cause="the feedback is from another download.",
            remedy="name the download that was graded.",
        )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for folder in sorted(files):
            for target in (folder, *twins[folder]):
                for name, data in sorted(files[folder].items()):
                    _add_file(packed, target, name, data)
    return stream.getvalue()


def _add_file(packed: zipfile.ZipFile, folder: str, name: str, data: bytes) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts or "\0" in name:
        raise UsageError(f"{visible(name)!r} cannot be the name of a file of feedback.")
    info = zipfile.ZipInfo(f"{folder}/{path}", _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    packed.writestr(info, data)
