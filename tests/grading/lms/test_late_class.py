"""A class of 40 groups of whom some are late: everybody's mark, computed by hand, in what each platform imports."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from results import result

from tests.grading.lms import strict
from tlcourse.course.deadline import LateRule, read_due
from tlcourse.grading.batch.setup import ClassLists, begin
from tlcourse.grading.grade import Options
from tlcourse.grading.gradebook.deadlines import Kept, extend, keep_deadline
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.lateness import Until
from tlcourse.grading.lms.exports import export
from tlcourse.grading.lms.roster import Person, Roster
from tlcourse.grading.secret import seed_from
from tlcourse.presenting.report.class_marks import marks_of

ITEM = "Exercise 2"
# Groups by number. Due on 20 November 2026 at 10:21; 10 % of what was earned for each day that has begun
DAYS_LATE = {
    **dict.fromkeys((0, 11, 22, 33), 1),  # Nov 20, 10:22 AM
    **dict.fromkeys((14, 25, 36), 3),  # 23 november, 945: the third day ends at 10:21
    3: 4,  # its second attempt, which counts: 23 november, 1045
}
LEFT = {0: 0.0, 11: 0.0, 22: 0.0, 33: 1.8, 25: 1.4, 36: 1.4, 3: 1.2, 14: 2.0}
"""Group 14 has three days more, and one of group 36 has two: 1.8."""


@pytest.fixture(scope="module")
def graded(a_class, tmp_path_factory, line):
    """The marks of the class by a gradebook, and the days that each hand-in was late."""
    folder = tmp_path_factory.mktemp("late")
    lists = ClassLists(a_class.classlist, a_class.groups_file)
    found = lists.find(a_class.brightspace, folder / "into")
    seed = seed_from("line", b"a secret that is long enough", None)
    by_name = {group.name: group.expected for group in a_class.groups}
    with Gradebook.writing(folder / "g.sqlite", "a test") as book:
        options = Options(variant="mini", device="cpu", threads=1, wall_time_s=30.0)
        begin(book, line, found, a_class.brightspace, options, seed, who="sofie", settings=lists.settings())
        due = read_due("2026-11-20 10:21", "Europe/Copenhagen", LateRule(penalty=10))
        keep_deadline(book, 1, Kept(due), who="sofie")
        extend(book, "line", f"group:{a_class.groups[14].name}", Until(days=3), who="sofie", why="ill")
        one = a_class.groups[36].members[1].id
        extend(book, "line", f"person:{one}", Until(days=2), who="sofie", why="ill")
        for handin in book.handins(1):
            expected = by_name[handin.owner]
            book.record(handin.id, 0, result(expected.outcome, float(expected.points)), "")
        statuses = book.statuses(book.batch(1))
        return marks_of(book, statuses, line), {status.handin.owner: status.late.days for status in statuses}


@pytest.fixture(scope="module")
def expected(a_class):
    """By student id."""
    points = {
        student.id: LEFT.get(number, float(group.expected.points))
        for number, group in enumerate(a_class.groups)
        for student in group.members
    }
    return points | {a_class.groups[36].members[1].id: 1.8}


def test_the_days_are_those_of_the_attempt_that_counts(a_class, graded):
    names = {number: group.name for number, group in enumerate(a_class.groups)}
    late = {names[number]: days for number, days in DAYS_LATE.items()} | {names[14]: 0}
    assert {owner: days for owner, days in graded[1].items() if days} == {o: d for o, d in late.items() if d}


def test_everybodys_mark_reaches_each_platform_as_it_was_computed(a_class, roster, graded, expected):
    marks, known = graded[0], set(expected)
    asked = {"item": ITEM, "max_points": 2, "roster": roster}
    assert strict.brightspace(export(marks, "brightspace", **asked), f"{ITEM} Points Grade", known) == expected
    assert strict.canvas(export(marks, "canvas", **asked), ITEM, known) == expected
    with zipfile.ZipFile(io.BytesIO(export(marks, "gradescope", **asked))) as packed:
        scores = [strict.gradescope(packed.read(name).decode()) for name in packed.namelist()]
    assert sorted(one["score"] for one in scores) == sorted(expected.values())
    said = {one["tests"][0]["output"] for one in scores if one["score"] == 1.2}
    assert all("1.2 of 2 points. 2 → 1.2: 4 days late, 10 % a day." in one for one in said) and said
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(export(marks, "csv", **asked)))}
    assert {key: float(row["points"]) for key, row in rows.items()} == expected
    late = {key for key, row in rows.items() if "→" in row["late"]}
    assert late == {key for key, points in expected.items() if points in (1.2, 1.4, 1.8)}
    assert len(expected) == 110


def test_moodle_gets_the_rule_in_its_comment(a_class, graded, expected, tmp_path):
    head = 'Identifier,"Full name","Email address",Grade,"Maximum Grade","Last modified (grade)","Feedback comments"'
    rows = [f'"Participant {s.participant}","{s.name}",{s.email},,2.00,-,' for s in a_class.students]
    (tmp_path / "sheet.csv").write_text("\r\n".join([head, *rows]) + "\r\n", encoding="utf-8", newline="")
    by_id = {student.id: student for student in a_class.students}
    people = Roster(tuple(Person(s.id, s.username, s.first, s.last, s.email, s.participant) for s in by_id.values()))
    text = export(graded[0], "moodle", item=ITEM, max_points=2, roster=people, template=tmp_path / "sheet.csv")
    found = strict.moodle(text)
    assert {key: found[student.participant][0] for key, student in by_id.items()} == expected
    said = found[a_class.groups[3].members[0].participant][1]
    assert "1.2 of 2 points. 2 → 1.2: 4 days late, 10 % a day." in said
