"""Marks that assistants set, comments, and requests: every person's points are computed by hand here, and found in the
report, the feedback and each export."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace
from results import overridden, result

from tlcourse.course.deadline import LateRule, read_due
from tlcourse.grading.gradebook.attempts import add_attempts
from tlcourse.grading.gradebook.changes import note_class
from tlcourse.grading.gradebook.deadlines import Kept, keep_deadline
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.grading.lms.roster import Person

EXAMPLE = Path(__file__).parent.parent / "example_course"
MANUAL = """
parts:
  - {id: lines, kind: model}
  - id: by-hand
    kind: manual
    rubric:
      - {id: report, text: The report, points: 4, details: "1 a figure; 3 the discussion"}
      - {id: talk, text: The talk, points: 2}
"""
HANDINS = {"a": ("A", ["p1", "p2"], 2.0), "b": ("B", ["p3", "p4"], 1.0), "s": ("S", ["p5"], 2.0)}
HOSTILE = "<script>alert(1)</script> [x](javascript:y) =1+1 \x1b[2J"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The example course, whose exercise also has a report (4 points) and a talk (2) beside its checks (2)."""
    folder = tmp_path_factory.mktemp("course") / "c"
    shutil.copytree(EXAMPLE, folder)
    with (folder / "exercises/line/exercise.yaml").open("a") as stream:
        stream.write(MANUAL)
    return folder


def a_class(path):
    """A (p1, p2) has 2 points from the checks, B (p3, p4) has 1, S (p5) has 2; p6 handed in nothing."""
    with Gradebook.writing(path, "a test") as book:
        batch = BatchRecord(
            *(0, "line", "mini", "/s", "brightspace", 2.0, "secret", "s", "f", "g", {}),
            {"notices": [], "unmatched": [], "missing": ["p6"]},
            *("sofie", ""),
        )
        book.begin_batch(
            batch,
            [
                HandInRecord(0, 0, key, owner, "group", members, f"1-2 - {owner}", "/p", "2026-11-20T10:00")
                for key, (owner, members, _) in HANDINS.items()
            ],
        )
        people = [Person(f"p{n}", f"u{n}", "Navn", f"Efter{n}", "", str(50 + n)) for n in range(1, 7)]
        note_class(book, 1, people, {}, listed=None, who="", why="")
        for handin in book.handins(1):
            points = HANDINS[handin.key][2]
            book.record(handin.id, 0, result("pass" if points == 2 else "fail", points), "")
    return path


@pytest.fixture
def ta(course, tmp_path, here):
    """`ta("mark", …)` about a class of its own."""
    book = a_class(tmp_path / "g.sqlite")

    def run(name, *arguments, fails=0):
        return here("ta", name, *arguments, "--gradebook", str(book), "--course", str(course), fails=fails)

    return run


def exported(ta, *more):
    return list(csv.DictReader(io.StringIO(ta("export", "line", "--format", "csv", *more).stdout)))


def mark_all(ta):
    """A: 2 + 3 + 2 = 7, of which p2's talk earns 1: 6. B: 1 + 2.5 + 0 = 3.5. S: 2 + 4 + 1.5 = 7.5."""
    for whom, part, points in [
        *[("A", "report", "3"), ("A", "talk", "2"), ("p2", "talk", "1"), ("B", "report", "2.5")],
        *[("B", "talk", "0"), ("u5", "report", "4"), ("S", "talk", "1.5")],
    ]:
        ta("mark", "line", whom, part, points)


def test_marks_wait_until_all_items_are_set_and_then_are_added_to_the_checks(ta):
    refused = ta("export", "line", "--format", "csv", fails=2)
    assert "5 people without all marks by hand: Navn Efter1 (p1), " in refused.stderr
    assert [row["points"] for row in exported(ta, "--partial")] == [""] * 6
    ta("mark", "line", "A", "report", "3")
    waiting = json.loads(ta("report", "line", "--json").stdout)["people"]
    assert [(one["state"], one["points"], one["why"]) for one in waiting[:3]] == [
        *[("to mark", None, "talk")] * 2,
        ("to mark", None, "report, talk"),
    ]
    assert waiting[5]["state"] == "nothing"
    mark_all(ta)
    rows = exported(ta, "--missing", "zero")
    assert [row["points"] for row in rows] == ["7", "6", "3.5", "3.5", "7.5", "0"]
    assert {row["max points"] for row in rows} == {"8"}
    brightspace = ta("export", "line", "--format", "brightspace").stdout.splitlines()[1:]
    assert [row.split(",")[2] for row in brightspace] == ["7", "6", "3.5", "3.5", "7.5", ""]
    moodle = list(csv.DictReader(io.StringIO(ta("export", "line", "--format", "moodle").stdout)))
    assert [(row["Grade"], row["Maximum Grade"]) for row in moodle[:5]] == [
        *(("7", "8"), ("6", "8"), ("3.5", "8"), ("3.5", "8"), ("7.5", "8")),
    ]
    assert "The talk: 1 of 2" in moodle[1]["Feedback comments"]
    canvas = ta("export", "line", "--format", "canvas").stdout.splitlines()
    assert [row.rpartition(",")[2] for row in canvas[1:]] == ["8", "7", "6", "3.5", "3.5", "7.5", ""]
    ta("export", "line", "--format", "gradescope", "--output", "g.zip")
    with zipfile.ZipFile("g.zip") as packed:
        scores = sorted(json.loads(packed.read(name))["score"] for name in packed.namelist())
    assert scores == [3.5, 3.5, 6, 7, 7.5]
    scope = json.loads(ta("report", "line", "--json").stdout)
    assert [one["points_of_members"] for one in scope["handins"]] == [
        {"p1": 7.0, "p2": 6.0},
        {"p3": 3.5, "p4": 3.5},
        {"p5": 7.5},
    ]
    assert "hand-in: A: PASS, 7 (5 by hand; p2: 6) points" in ta("report", "line").stdout
    assert "| 7 (5 by hand; p2: 6) |" in ta("report", "line", "--markdown").stdout
    assert scope["handins"][0]["by_hand"] == {"report": 3.0, "talk": 2.0}


def test_what_is_still_to_mark_of_a_member_is_what_the_whole_group_lacks(ta):
    assert ta("mark", "line", "A", "report", "1").stdout == "A: report: 1 point. Still to mark: talk.\n"
    assert ta("mark", "line", "p2", "talk", "1.5").stdout == "p2: talk: 1.5 points.\n"
    assert json.loads(ta("mark", "line", "p3", "talk", "2", "--json").stdout)["unset"] == ["report"]
    ta("move", "line", "p3", "A", "--why", "the list was wrong")
    assert json.loads(ta("mark", "line", "p3", "--comment", "Good.", "--json").stdout)["unset"] == []


def test_a_number_that_is_none_is_said_in_words(ta):
    assert (
        "'1,5' is not a number with a point before its decimals."
        in ta("mark", "line", "A", "talk", "1,5", fails=2).stderr
    )
    assert "'x' is not a whole number." in ta("extend", "line", "A", "--days", "x", "--why", "ill", fails=2).stderr


def test_the_words_beside_a_mark_are_those_of_the_mark_that_counts_for_each_member(ta):
    mark_all(ta)
    ta("override", "line", "p4", "--points", "1", "--why", "took no part", "--show-why")
    ta("override", "line", "S", "--points", "5", "--why", "a secret matter")
    words = [row["feedback"] for row in exported(ta)]
    assert words[0].startswith("PASS, 7 of 8 points (checks: 2 of 2; The report: 3 of 4; The talk: 2 of 2).")
    assert words[1].startswith("PASS, 6 of 8 points (checks: 2 of 2; The report: 3 of 4; The talk: 1 of 2).")
    assert words[2].startswith("FAIL, 3.5 of 8 points (checks: 1 of 2; The report: 2.5 of 4; The talk: 0 of 2).")
    assert words[3].startswith(
        "1 of 8 points, set by the course's staff. Reason: took no part. The checks alone gave: FAIL, 1 of 2 points."
    )
    assert words[4] == "5 of 8 points, set by the course's staff. The checks alone gave: PASS, 2 of 2 points."
    assert not words[5]


def test_being_late_lowers_the_sum_of_checks_and_marks_by_hand_and_no_override(ta, tmp_path):
    """Two days at 10 % of the points earned: 7, 6, 3.5 and 7.5 become 5.6, 4.8, 2.8 and 6."""
    mark_all(ta)
    ta("override", "line", "p4", "--points", "3", "--why", "agreed")
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        keep_deadline(book, 1, Kept(read_due("2026-11-18 12:00", "UTC", LateRule(penalty=10))), who="sofie")
    rows = exported(ta)
    assert [row["points"] for row in rows] == ["5.6", "4.8", "2.8", "3", "6", ""]
    assert rows[0]["feedback"].startswith(
        "PASS, 5.6 of 8 points (checks: 2 of 2; The report: 3 of 4; The talk: 2 of 2). "
        "7 → 5.6: 2 days late, 10 % a day."
    )
    document = json.loads(ta("report", "--all", "--json").stdout)
    assert [one["total"] for one in document["people"]] == [5.6, 4.8, 2.8, 3, 6, 0]


def test_comments_reach_the_feedback_of_whom_they_concern_and_do_no_harm_there(ta, tmp_path):
    mark_all(ta)
    said = ta("mark", "line", "A", "talk", "2").stderr
    assert "p2 keeps what was set for them alone; if not: tlcourse ta mark line p2 talk --withdraw" in said
    ta("mark", "line", "A", "report", "--comment", f"First line.\nSecond: {HOSTILE}")
    ta("mark", "line", "p2", "--comment", "You were late for the talk.")
    assert [row["points"] for row in exported(ta)][:2] == ["7", "6"]  # a comment changes no points
    told = ta("feedback", "line", "out")
    assert told.stdout.splitlines()[-1] == "written: out/feedback-of-members"
    assert "send it to that person alone" in told.stderr
    shared, alone = tmp_path / "out/feedback/1-2 - A", tmp_path / "out/feedback-of-members"
    page, text = (shared / "feedback.html").read_text(), (shared / "feedback.md").read_text()
    assert "First line.<br>" in page
    assert '<td>The report</td><td class="number">3 of 4</td>' in page
    assert "| The report | 3 of 4 |" in text
    assert "> First line." in text
    for shown in (page, text):
        assert "<script" not in shown
        assert "\x1b" not in shown
        assert "late for the talk" not in shown  # the others of the group read this
        assert "7 of 8 points" in shown
        assert "For some of the group" in shown
    assert "[x](javascript" not in text
    own = (alone / "p2/feedback.md").read_text()
    assert "6 of 8 points" in own
    assert "> You were late for the talk." in own
    assert [path.name for path in alone.iterdir()] == ["p2"]
    rows = exported(ta)
    assert "The report: First line. Second: <script>" in rows[0]["feedback"]
    assert rows[1]["feedback"].endswith("Comment: You were late for the talk.")
    ta("mark", "line", "p2", "--withdraw", "--why", "sent to the wrong one")
    ta("mark", "line", "p2", "talk", "--withdraw", "--why", "the same")
    ta("feedback", "line", "out")
    assert not (alone / "p2/feedback.md").exists()


def test_the_newest_counts_and_every_row_stays_with_who_when_why(ta):
    mark_all(ta)
    assert "A mark that changes needs its reason." in ta("mark", "line", "S", "report", "1", fails=2).stderr
    ta("mark", "line", "S", "report", "1", "--why", "read again", "--who", "lars")
    assert [row["points"] for row in exported(ta)][4] == "4.5"  # 2 + 1 + 1.5
    ta("mark", "line", "S", "report", "--withdraw", "--why", "mixed up")
    assert "1 person without all marks" in ta("export", "line", "--format", "csv", fails=2).stderr
    document = json.loads(ta("report", "line", "--json").stdout)
    kept = [(one["points"], one["who"], one["why"]) for one in document["hand_marks"] if one["target"] == "person:p5"]
    assert kept[2:] == [(1.0, "lars", "read again"), (None, kept[0][1], "mixed up")]
    for form in ((), ("--markdown",)):
        said = ta("report", "line", *form).stdout
        assert "person:p5: report: 1 points by lars, 20" in said
        assert "read again" in said
    ta("report", "line", "--html", "r.html")
    assert "to mark by hand: report" in Path("r.html").read_text()


def test_a_mark_that_is_older_than_the_newest_attempt_is_said(ta, tmp_path, monkeypatch):
    mark_all(ta)
    with Gradebook.writing(tmp_path / "g.sqlite", "a test") as book:
        newer = replace(book.handins(1)[0], submitted_at="2026-11-21T10:00")
        monkeypatch.setattr("tlcourse.grading.gradebook.attempts.now", lambda: "2999-01-01T00:00:00+00:00")
        round_ = add_attempts(book, 1, [newer], who="sofie", why="late")
        book.record(newer.id, round_, result("fail", 1.0), "")
    said = "A: marked by hand before its newest attempt came in: report, talk"
    assert f"note: {said}" in ta("report", "line").stdout.splitlines()
    assert [row["points"] for row in exported(ta)][:2] == ["6", "5"]  # 1 + 3 + 2, and 1 + 3 + 1


def test_a_decision_that_was_withdrawn_stays_in_the_report_with_its_reason(ta):
    ta("override", "line", "A", "--points", "1", "--why", "copied it", "--who", "lars")
    ta("override", "line", "A", "--withdraw", "--why", "they are the authors", "--who", "sofie")
    ta("override", "line", "p3", "--excuse", "--why", "ill", "--who", "lars")
    document = json.loads(ta("report", "line", "--json").stdout)
    assert [(one["points"], one["why"], one["who"]) for one in document["replaced"]] == [
        (1.0, "copied it", "lars"),
        (None, "they are the authors", "sofie"),
    ]
    assert [one["why"] for one in document["overrides"]] == ["ill"]
    ta("report", "line", "--html", "r.html")
    for said in (ta("report", "line").stdout, ta("report", "line", "--markdown").stdout, Path("r.html").read_text()):
        assert "a: 1 by lars, 20" in said
        assert "a: withdrawn by sofie, 20" in said
        assert "they are the authors" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("A", "report", "-1"), "-1 points are less than none: report gives from 0 to 4."),
        (("A", "report", "-.5"), "-0.5 points are less than none: report gives from 0 to 4."),
        (("A", "report", "4.5"), "4.5 points are more than the 4 of report."),
        (("A", "report", "nan"), "nan points are more than the 4 of report."),
        (("A", "essay", "1"), "line has no part 'essay' that is marked by hand."),
        (("Nobody", "report", "1"), "Nobody of this batch is called Nobody."),
        (("A", "report"), "Give PART and POINTS, or --comment, or --withdraw."),
        (("A", "report", "--withdraw"), "Nothing of report is set for A."),
        (("A", "report", "--comment", "x" * 4001), "The comment has 4001 characters"),
    ],
)
def test_what_cannot_be_set_is_refused(ta, arguments, words):
    assert words in ta("mark", "line", *arguments, fails=2).stderr


def test_who_has_no_hand_in_can_be_marked_by_hand(ta):
    mark_all(ta)
    ta("mark", "line", "p6", "report", "2")
    assert (
        "1 person without all marks by hand: Navn Efter6 (p6)."
        in ta("export", "line", "--format", "csv", fails=2).stderr
    )
    ta("mark", "line", "p6", "talk", "1", "--comment", "well spoken")
    row = exported(ta)[5]
    assert row["points"] == "3"
    assert row["feedback"] == "3 of 8 points, set by the course's staff. The talk: well spoken"


def test_requests_are_recorded_listed_open_first_answered_and_told(ta, tmp_path):
    mark_all(ta)
    ta("requests", "line", "--add", "p2", "--text", f"My talk! {HOSTILE}", "--who", "sofie")
    ta("requests", "line", "--add", "B", "--text", "z is right")
    assert "request 1 (open): person:p2, sofie, " in ta("report", "line").stdout
    ta("feedback", "line", "out")
    assert "You asked" not in (tmp_path / "out/feedback/1-2 - B/feedback.md").read_text()
    ta("override", "line", "p2", "--points", "7", "--why", "she is right")
    ta("requests", "line", "--answer", "1", "--text", "You are right.", "--override")
    listed = ta("requests", "line").stdout.splitlines()
    assert [one.split(":")[0] for one in listed] == ["request 2 (open)", "request 1 (answered)"]
    assert listed[1].endswith("(override 1): You are right.")
    asked = json.loads(ta("requests", "line", "--json").stdout)["requests"]
    assert [(one["id"], one["answer"], one["override"]) for one in asked] == [(2, "", None), (1, "You are right.", 1)]
    ta("requests", "line", "--answer", "2", "--text", "It is not.")
    ta("feedback", "line", "out")
    of_b = (tmp_path / "out/feedback/1-2 - B/feedback.md").read_text()
    assert "> z is right" in of_b
    assert "> It is not." in of_b
    assert "You are right" not in (tmp_path / "out/feedback/1-2 - A/feedback.md").read_text()
    page = (tmp_path / "out/feedback-of-members/p2/feedback.html").read_text()
    assert "You are right." in page
    assert "<script" not in page
    for arguments, words in [
        (("--answer", "9", "--text", "x"), "line has no request 9."),
        (("--answer", "2"), "--add and --answer go with --text."),
        (("--answer", "2", "--text", "x", "--regrade", "4"), "Batch 1 has no regrade 4."),
        (("--answer", "2", "--text", "x", "--override"), "No override is in force for b."),
    ]:
        assert words in ta("requests", "line", *arguments, fails=2).stderr


def test_a_merge_shows_what_two_assistants_decided_differently_and_settles_it_one_by_one(ta, here, tmp_path):
    mine, theirs = tmp_path / "g.sqlite", tmp_path / "theirs.sqlite"
    shutil.copyfile(mine, theirs)
    for path, who, points in [(mine, "ada", 0.5), (theirs, "bo", 1.0)]:
        with Gradebook.writing(path, "a test") as book:
            for target in ("a", "s"):
                overridden(book, target, points, who=who, why="seen")

    def merge(*prefer, fails=0):
        done = here("ta", "merge", str(theirs), "--gradebook", str(mine), *prefer, fails=fails)
        return done.stderr if fails else done.stdout

    refused = merge(fails=2)
    assert "Nothing was merged: 2 decisions differ." in refused
    (id_of_a,) = [line.split()[0] for line in refused.splitlines() if "overrides of line a:" in line]
    for wrong in ("ours", f"{id_of_a}=ours", "=mine"):
        assert f"--prefer {wrong} is neither mine nor theirs." in merge("--prefer", wrong, fails=2)
    said = merge("--prefer", f"{id_of_a}=theirs", "--prefer", "mine").splitlines()
    assert [line.rpartition(" – ")[2] for line in said[:2]] == ["theirs holds", "mine holds"]
    assert [row["points"] for row in exported(ta, "--partial")][:5] == ["1", "1", "", "", "0.5"]
