"""A class of 40 groups and 110 people as each platform lays it out: the marks are the same, and each is the right one.

Every group's hand-in says what it is worth, no two the same, and that is recorded as its verdict: a mark that is right
came from the right files. What a layout cannot say is in `LAYOUTS`.
"""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace
from results import result
from zipforge import Member, forge

from tests.fixtures.a_class import Group, Student
from tests.grading.lms import strict
from tlcourse.grading.batch.setup import ClassLists, begin, resume
from tlcourse.grading.grade import Options
from tlcourse.grading.gradebook.changes import decide
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.intake.submission import collect
from tlcourse.grading.lms.exports import export
from tlcourse.grading.lms.roster import read_roster
from tlcourse.grading.secret import seed_from
from tlcourse.presenting.report.class_marks import marks_of, marks_of_class

ITEM = "Exercise 2"
TWICE, RENAMED, FROM_WINDOWS, LATE, NOTHING = 1, 8, (12, 15), (5, 20, 29), 30
MOVED, MOVED_TO, REGROUPED, INTO = 32, 33, 34, 35
BETTER = 2.0
"""What group `TWICE` has for its second attempt, which is in the second download."""


class Attempt(Struct, frozen=True):
    """What one group handed in, in the first or the second download."""

    number: int
    group: Group
    files: dict[str, bytes]
    again: bool = False

    @property
    def by(self) -> Student:
        """In the last group one of the two who have one name."""
        return self.group.members[-1 if self.number == 39 else 0]

    @property
    def date(self) -> str:
        return f"2026-11-{25 if self.again else 20}"


def attempts(groups: tuple[Group, ...]) -> tuple[list[Attempt], list[Attempt]]:
    """Both downloads: the second has who was late, and a second attempt."""
    all_ = [Attempt(n, group, _files(n, n / 20)) for n, group in enumerate(groups) if n != NOTHING]
    second = [replace(one, again=True) for one in all_ if one.number in LATE]
    second.append(Attempt(TWICE, groups[TWICE], _files(TWICE, BETTER), again=True))
    return [one for one in all_ if one.number not in LATE], second


def _files(number: int, points: float) -> dict[str, bytes]:
    source = f"POINTS = {points}\n".encode()
    if number in FROM_WINDOWS:  # Ø in code page 850, and no word that it is
        names = (b"\x9dvelse 2/solution.py", b"\x9dvelse 2/hj\x91lpe.py")
        return {"solution.zip": bytes(forge(*(Member(name, source, flags=0) for name in names)))}
    return {"solution.py": source, **({"helpers.py": b"x = 1\n"} if number == RENAMED else {})}


# -- the layouts: names in the ZIP, and their bytes --------------------------------------------------------------------

Entries = Iterator[tuple[str, bytes]]


def brightspace(found: list[Attempt]) -> Entries:
    yield "Exercise 2 Download/index.html", b"<html>"
    for one in found:
        when = f"Nov {one.date[-2:]}, 2026 1022 AM"
        folder = f"39{one.number:03d}-{640 + one.again} - {one.group.name} - {one.by.name} - {when}"
        yield from ((f"Exercise 2 Download/{folder}/{name}", data) for name, data in one.files.items())


def canvas(found: list[Attempt]) -> Entries:
    """Files alone, in the name of a member or of the group; what is handed in again has a number."""
    for one in found:
        who = one.group.name if one.number % 2 else one.by.last + one.by.first
        who = "".join(filter(str.isalnum, who.casefold()))
        late = "LATE_" if one.again else ""
        for i, (name, data) in enumerate(one.files.items()):
            stem, dot, suffix = name.partition(".")
            own = f"{stem}-1{dot}{suffix}" if one.number == RENAMED or one.again else name
            yield f"{who}_{late}{one.by.canvas}_{9000 + 2 * one.number + i}_{own}", data


def moodle_3(found: list[Attempt]) -> Entries:
    """A folder for each member, without the apostrophes."""
    for one in found:
        for member in one.group.members:
            who = f"{one.group.name}-{member.name}".replace("'", "")
            folder = f"{who}_{member.participant}_assignsubmission_file_"
            yield from ((f"{folder}/{name}", data) for name, data in one.files.items())


def moodle_4(found: list[Attempt]) -> Entries:
    """A folder for each group, whose number is also that of a participant who is in another."""
    for one in found:
        folder = f"{one.group.name}_{81_000 + 109 - one.number}_assignsubmission_file"
        yield from ((f"{folder}/{name}", data) for name, data in one.files.items())


def blackboard(found: list[Attempt]) -> Entries:
    for one in found:
        stem = f"{ITEM}_{one.by.username}_attempt_{one.date}-10-22-00"
        yield f"{stem}.txt", f"Name: {one.by.name} ({one.by.username})\nAssignment: {ITEM}\n".encode()
        yield from ((f"{stem}_{name}", data) for name, data in one.files.items())


def gradescope(found: list[Attempt]) -> Entries:
    about = ["---"]
    for one in found:
        folder = f"submission_{70_000 + one.number + 100 * one.again}"
        about += [f"{folder}:", "  :submitters:"]
        for member in one.group.members:
            about += [f'  - :name: "{member.name}"', f"    :sid: '{member.id}'", f"    :email: {member.email}"]
        about.append(f"  :created_at: {one.date} 10:22:00 Z")
        yield from ((f"assignment_1_export/{folder}/{name}", data) for name, data in one.files.items())
    yield "assignment_1_export/submission_metadata.yml", "\n".join(about).encode()


def plain(found: list[Attempt]) -> Entries:
    for one in found:
        by = one.by
        ways = (one.group.name, by.id, by.username, f"{by.last}, {by.first}", f"ex2_{by.username}")
        folder = one.group.name if one.number == 39 else ways[one.number % len(ways)]
        yield from ((f"{folder}/{name}", data) for name, data in one.files.items())


# -- the lists that each platform gives: people, then groups by member -------------------------------------------------

Listed = list[tuple[Student, str]]


def of_brightspace(people: Listed) -> tuple[str, str]:
    head = f"OrgDefinedId,Username,Last Name,First Name,{ITEM} Points Grade <Numeric MaxPoints:2>,End-of-Line Indicator"
    rows = [f"#{s.id},#{s.username},{s.last},{s.first},,#" for s, _ in people]
    teams = [f'ENROLL,#{s.username},#{s.id},"{group}",G' for s, group in people]
    return _lines(head, rows), _lines("Action,Username,Organisation Defined ID,Group Name,Group Code", teams)


def of_canvas(people: Listed) -> tuple[str, str]:
    rows = ["    Points Possible,,,,,2.00"]
    rows += [f'"{s.last}, {s.first}",{s.canvas},{s.id},{s.username},S 1,' for s, _ in people]
    teams = [f'{s.name},{s.canvas},{s.id},{s.username},01,"{group}",7,' for s, group in people]
    head = "name,canvas_user_id,user_id,login_id,sections,group_name,canvas_group_id,group_id"
    return _lines(f"Student,ID,SIS User ID,SIS Login ID,Section,{ITEM} (77)", rows), _lines(head, teams)


def of_moodle(people: Listed, days: dict[str, str] | None = None) -> tuple[str, str]:
    """The grading worksheet, which has both, and no numbers of the university; `days` on which groups handed in."""
    head = (
        'Identifier,"Full name","Email address",Status,Group,Grade,"Maximum Grade","Grade can be changed",'
        '"Last modified (submission)","Last modified (grade)","Feedback comments"'
    )
    times = {group: f'"Friday, {day} November 2026, 10:22 AM"' for group, day in (days or {}).items()}
    rows = [
        f'"Participant {s.participant}","{s.name}",{s.email},-,"{group}",,2.00,Yes,{times.get(s.group, "-")},-,'
        for s, group in people
    ]
    return (_lines(head, rows),) * 2


def of_blackboard(people: Listed) -> tuple[str, str]:
    rows = [f"{s.last}\t{s.first}\t{s.username}\t{s.id}" for s, _ in people]
    teams = [f'"{group}",{s.username},{s.id},{s.first},{s.last}' for s, group in people]
    head = "Group Code,User Name,Student Id,First Name,Last Name"
    return _lines("Last Name\tFirst Name\tUsername\tStudent ID", rows), _lines(head, teams)


def of_gradescope(people: Listed) -> tuple[str, str]:
    """Its roster has no groups: they are a list of the staff's."""
    rows = [f"{s.first},{s.last},{s.id},{s.email},Student" for s, _ in people]
    teams = [f'"{group}",{s.email}' for s, group in people]
    return _lines("First Name,Last Name,SID,Email,Role", rows), _lines("group,email", teams)


def of_staff(people: Listed) -> tuple[str, str]:
    rows = [f"{s.id},{s.username},{s.first},{s.last}" for s, _ in people]
    return _lines("id,username,first name,last name", rows), _lines(
        "group,id", [f'"{group}",{s.id}' for s, group in people]
    )


def _lines(head: str, rows: list[str]) -> str:
    return "\r\n".join([head, *rows]) + "\r\n"


class Layout(Struct, frozen=True):
    """How a platform writes a class, and what its names do not say."""

    entries: Callable[[list[Attempt]], Entries]
    lists: Callable[..., tuple[str, str]]
    own: str = ""
    """The platform's own form of marks."""
    template: bool = True
    dated: bool = True
    """Else staff say that what differs in a later download is newer."""
    says_late: bool = False
    times_listed: bool = False
    """The dates stand in the list, of both downloads as it was then, and not in the names."""


LAYOUTS = {
    "brightspace": Layout(brightspace, of_brightspace, "brightspace"),
    "canvas": Layout(canvas, of_canvas, "canvas", dated=False, says_late=True),
    "moodle 3": Layout(moodle_3, of_moodle, "moodle", dated=False),
    "moodle 4": Layout(moodle_4, of_moodle, "moodle", dated=False),
    "moodle 4 with times": Layout(moodle_4, of_moodle, "moodle", times_listed=True),
    "blackboard": Layout(blackboard, of_blackboard),
    "gradescope": Layout(gradescope, of_gradescope, "gradescope", template=False),
    "plain": Layout(plain, of_staff, "brightspace", template=False, dated=False),
}


# -- one class, graded -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def expected(a_class) -> dict[str, float | None]:
    """By student id: who moved has the mark of where staff put them, who was regrouped later that of the hand-in."""
    groups = a_class.groups
    points: dict[str, float | None] = {s.id: n / 20 for n, group in enumerate(groups) for s in group.members}
    points |= dict.fromkeys((s.id for s in groups[TWICE].members), BETTER)
    points |= dict.fromkeys((s.id for s in groups[NOTHING].members), 0.0)
    points[groups[NOTHING].members[0].id] = None  # excused
    points[groups[MOVED].members[1].id] = MOVED_TO / 20
    return points


def write_zip(path: Path, entries: Entries) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in entries:
            packed.writestr(name, data)
    return path


def grade(book: Gradebook) -> None:
    """Record what each open hand-in says of itself, as the grader would find it."""
    for row in book.open_handins(1):
        with tempfile.TemporaryDirectory() as folder:
            taken = collect(Path(row.path), Path(folder))
            points = float((taken.folder / "solution.py").read_text().removeprefix("POINTS = "))
            assert (taken.folder / "helpers.py").exists() == row.owner.endswith(f"Group {RENAMED + 1}")
        done = result("pass", points)
        book.record(row.id, row.round, replace(done, submission=replace(done.submission, sha256=taken.sha256)), "")


@pytest.mark.parametrize("name", LAYOUTS)
def test_everybodys_mark_is_the_same_however_a_platform_lays_the_class_out(name, a_class, line, expected, tmp_path):
    layout, groups = LAYOUTS[name], a_class.groups
    first, second = attempts(groups)
    before = [(student, student.group) for student in a_class.students]
    late = groups[REGROUPED].members[1]
    after = [(s, groups[INTO].name if s == late else group) for s, group in before]
    lists = []
    days: dict[str, str] = {}
    for when, people, handed_in in (("before", before, first), ("after", after, second)):
        days |= {one.group.name: one.date[-2:] for one in handed_in}
        paths = tmp_path / f"{when}-people.csv", tmp_path / f"{when}-groups.csv"
        for path, text in zip(paths, layout.lists(people, *[days] * layout.times_listed), strict=True):
            path.write_text(text, encoding="utf-8-sig", newline="")
        lists.append(ClassLists(*paths))
    roster = read_roster(tmp_path / "after-people.csv")
    ids = {key: s.id for s in a_class.students for key in (s.id, s.email)}
    theirs = {ids[person.id]: person.id for person in roster.people}
    downloads = [
        write_zip(tmp_path / f"{n}.zip", layout.entries(found)) for n, found in enumerate((first, second), start=1)
    ]
    seed = seed_from("line", b"a secret that is long enough", None)
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        found = lists[0].find(downloads[0], tmp_path / "into")
        assert (len(found.found), found.unmatched) == (36, [])
        assert {ids[one] for one in found.missing} == {s.id for n in (*LATE, NOTHING) for s in groups[n].members}
        options = Options(variant="mini", device="cpu", threads=1, wall_time_s=30.0)
        begin(book, line, found, downloads[0], options, seed, who="sofie", settings=lists[0].settings())
        grade(book)
        found = lists[1].find(downloads[1], tmp_path / "into")
        assert (len(found.found), found.unmatched) == (4, [])
        assert all(bool(one.submitted_at) == layout.dated for one in found.found)
        assert {one.called_late for one in found.found} == {True if layout.says_late else None}
        asked = {"source": downloads[1], "lists": lists[1], "who": "sofie", "take_unclear": not layout.dated}
        said = resume(book, line, found, book.batch(1), seed, **asked)
        assert [words for words in said if f"moved from {groups[REGROUPED].name} to {groups[INTO].name}" in words]
        grade(book)
        moved, excused = groups[MOVED].members[1].id, groups[NOTHING].members[0].id
        book.move(1, theirs[moved], groups[MOVED_TO].name, who="sofie", why="the list was wrong")
        decide(book, book.batch(1), theirs[excused], None, who="sofie", why="ill", excused=True)
        statuses = book.statuses(book.batch(1))
        people = book.person_statuses(book.batch(1), statuses)
        marks = marks_of_class(marks_of(book, statuses, line), people, line, 0.0)
    assert len(marks) == len(expected) == 110
    assert {ids[mark.person_id]: mark.points for mark in marks} == expected
    rows = csv.DictReader(io.StringIO(export(marks, "csv", item=ITEM, max_points=2, roster=roster)))
    assert {ids[row["id"]]: float(row["points"]) if row["points"] else None for row in rows} == expected
    if layout.own:
        template = tmp_path / "after-people.csv" if layout.template else None
        made = export(marks, layout.own, item=ITEM, max_points=2, roster=roster, template=template)
        assert exported(layout, made, a_class.students) == expected


def exported(layout: Layout, made: str | bytes, students: tuple[Student, ...]) -> dict[str, float | None]:
    """By student id, as the platform reads it."""
    if isinstance(made, bytes):
        with zipfile.ZipFile(io.BytesIO(made)) as packed:  # in the order of the list; who has no points is not there
            scores = {name: strict.gradescope(packed.read(name).decode())["score"] for name in packed.namelist()}
        places = {int(name.partition("-")[0]): score for name, score in scores.items()}
        return {s.id: places.get(place) for place, s in enumerate(students, start=1)}
    if layout.own == "brightspace":
        item = f"{ITEM} Points Grade" + " <Numeric MaxPoints:2>" * layout.template
        return strict.brightspace(made, item, {s.id for s in students})
    if layout.own == "canvas":
        found = strict.canvas(made, f"{ITEM} (77)", {s.canvas for s in students})
        return {s.id: found[s.canvas] for s in students}
    read = strict.moodle(made)
    return {s.id: read[s.participant][0] for s in students}
