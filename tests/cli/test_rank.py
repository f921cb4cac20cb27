"""A class in the order of one measurement: who differs by less than it can tell shares a place."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import shutil
import time
from pathlib import Path

import pytest
from msgspec import to_builtins
from msgspec.structs import replace
from results import result

from tlcourse.grading.gradebook.by_hand import hand_marks
from tlcourse.grading.gradebook.changes import note_class
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.grading.lms.roster import Person
from tlcourse.grading.result import ValidationResult
from tlcourse.presenting.board import Board, as_file, in_order
from tlcourse.presenting.report.ranking import places
from tlcourse.student.record import Record

EXAMPLE = Path(__file__).parent.parent / "example_course"
MANUAL = """
parts:
  - {id: lines, kind: model}
  - {id: by-hand, kind: manual, rubric: [{id: contest, text: Place in the class, points: 5}]}
"""
ERRORS = {"a": (0.10, 0.12), "b": (0.11, 0.14), "c": (0.13, 0.16), "d": (0.20, 0.22), "e": None}
"""The error of each, at 95 %: a and b overlap, b and c do, a is surely better than c, all are than d; e crashed."""


def measured(key, interval):
    """A verdict on the hand-in of `key`, with what was measured on validation items, too."""
    found = result("fail", 0.0)
    if interval is None:
        return replace(found, checks=[], outcome="crash")
    value = sum(interval) / 2
    check = replace(found.checks[0], id="y_error", interval=interval, value=value)
    return replace(found, checks=[check], validation=ValidationResult("y_error", value, interval, 100))


def board_of_five():
    """Five of whom nobody is surely better."""
    values = [(0.4, 0.6)] * 5
    rows = [(0.5 + number / 100, interval) for number, interval in enumerate(values)]
    return Board(
        exercise="line",
        name="A line",
        variant="mini",
        check="y_error",
        title="Error of y",
        unit="",
        direction="at_most",
        unmeasured=0,
        rows=in_order(rows, "at_most"),
    )


def test_a_place_is_one_more_than_how_many_are_surely_better():
    assert places([(0.9, 0.95), (0.88, 0.93), (0.86, 0.89), (0.1, 0.2)], "at_least") == [1, 1, 2, 4]
    assert places([(0.1, 0.12), (0.11, 0.14), (0.13, 0.16)], "at_most") == [1, 1, 2]


@pytest.mark.parametrize("direction", ["at_least", "at_most"])
def test_places_are_those_of_comparing_everybody_with_everybody_and_take_a_class_in_a_moment(direction):
    draw = random.Random(3)
    for size in (1, 2, 40, 200):
        ends = [draw.randrange(12) / 10 for _ in range(2 * size)]  # many ties
        intervals = [(min(pair), max(pair)) for pair in zip(ends[::2], ends[1::2], strict=True)]

        def better(one, own):
            return one[0] > own[1] if direction == "at_least" else one[1] < own[0]

        counted = [1 + sum(better(one, own) for one in intervals) for own in intervals]
        behind = [size - sum(better(own, one) for one in intervals) for own in intervals]
        assert places(intervals, direction) == counted
        rows = in_order([(0.0, interval) for interval in intervals], direction)
        wanted = sorted(zip(counted, map(max, counted, behind), intervals, strict=True))
        assert sorted((row.first, row.last, row.interval) for row in rows) == wanted
    before, _ = time.process_time(), in_order([(0.0, (i / 1e5, i / 1e5)) for i in range(10_000)], direction)
    assert time.process_time() - before < 2.0
    assert places([(0.5, 0.5), (0.5, 0.5), (0.4, 0.4)], "at_least") == [1, 1, 3]
    assert places([], "at_least") == []


@pytest.fixture
def ranked(tmp_path, here):
    """`ranked(…)`: what `ta rank line --check y_error …` gives of that class; `.book` is its gradebook."""
    course, path = tmp_path / "course", tmp_path / "g.sqlite"
    shutil.copytree(EXAMPLE, course)
    with (course / "exercises/line/exercise.yaml").open("a") as stream:
        stream.write(MANUAL)
    with Gradebook.writing(path, "a test") as book:
        record = BatchRecord(0, "line", "mini", "/s", "x", 2.0, "secret", "s", "f", "g", {}, {}, "sofie", "")
        handins = [HandInRecord(0, 0, key, f"Group {key}", "group", [f"p{key}"], key, "/p", "") for key in ERRORS]
        book.begin_batch(record, handins)
        note_class(
            book, 1, [Person(f"p{key}", "", "Navn", key, "", "") for key in ERRORS], {}, listed=None, who="", why=""
        )
        for handin in book.handins(1):
            book.record(handin.id, 0, measured(handin.key, ERRORS[handin.key]), "")

    def run(*arguments, fails=0):
        options = ("--gradebook", str(path), "--course", str(course))
        return here(
            "ta",
            "rank",
            "line",
            *(("--check", "y_error") if "--check" not in arguments else ()),
            *arguments,
            *options,
            fails=fails,
        )

    def board(*files):
        named = [word for file in files for word in ("--board", str(file))]
        return "ta", "rank", "line", "--plain", *named, "--gradebook", str(path), "--course", str(course)

    run.board, run.course = board, course  # type: ignore[attr-defined]
    run.book = path  # type: ignore[attr-defined]
    return run


def test_ties_share_a_place_and_its_bonus_and_who_was_not_measured_stands_below(ranked):
    document = json.loads(ranked("--bonus", "5,3,2", "--json").stdout)
    rows = [(row["owner"], row["place"], row["bonus"]) for row in document["rows"]]
    assert rows == [("Group a", 1, 5.0), ("Group b", 1, 5.0), ("Group c", 2, 3.0), ("Group d", 4, 0.0)]
    assert document["unmeasured"] == ["Group e"]
    lines = ranked("--plain").stdout.splitlines()
    assert lines[0].split() == ["1=", "0.11", "95", "%:", "0.1", "to", "0.12", "Group", "a"]
    assert lines[3].split()[:2] == ["4", "0.21"]
    assert lines[4].split() == ["-", "not", "measured:", "Group", "e"]
    assert "Group" not in ranked("--plain", "--anonymous").stdout


def test_places_become_marks_by_hand_with_the_place_as_reason_once(ranked):
    for _ in range(2):
        ranked("--bonus", "5,3", "--mark", "contest")
    with Gradebook.reading(ranked.book) as book:
        marks = [(one.target, one.item, one.points, one.why) for one in hand_marks(book, "line")]
    assert marks == [
        ("a", "contest", 5.0, "place 1 of 4 by y_error"),
        ("b", "contest", 5.0, "place 1 of 4 by y_error"),
        ("c", "contest", 3.0, "place 2 of 4 by y_error"),
        ("d", "contest", 0.0, "place 4 of 4 by y_error"),
        ("e", "contest", 0.0, "not measured by y_error"),
    ]


def test_what_cannot_be_ranked_is_said(ranked):
    assert "has no check 'w'" in ranked("--check", "w", fails=2).stderr
    assert "'5,x' is not a list of points" in ranked("--bonus", "5,x", fails=2).stderr
    assert "6 points are more than the 5 of contest" in ranked("--bonus", "6", "--mark", "contest", fails=2).stderr


def test_a_board_has_places_of_validation_items_and_nothing_that_tells_whose_they_are(ranked, here, tmp_path):
    about = ranked.course / "exercises/line/exercise.yaml"
    assert "line has no board" in here(*ranked.board(tmp_path / "b.json"), fails=2).stderr
    about.write_text(about.read_text() + "board: y_error\n")
    few = here(*ranked.board(tmp_path / "b.json"), fails=2).stderr
    assert "A board needs 5 hand-ins that were measured on validation items, and line has 4." in few
    with Gradebook.writing(ranked.book, "a test") as book:
        book.add_handins(1, [HandInRecord(0, 1, "f", "Group f", "group", ["pf"], "f", "/p", "")])
        (late,) = [one for one in book.handins(1) if one.key == "f"]
        book.record(late.id, 0, measured("f", (0.1, 0.125)), "")
    page, file = tmp_path / "b.html", tmp_path / "b.json"
    said = here(*ranked.board(page, file)).stdout.splitlines()
    assert said == [f"written: {page}", f"written: {file}"]
    board = json.loads(file.read_text())
    assert (board["title"], board["unmeasured"]) == ("Mean absolute error of y, on validation data", 1)
    rows = [(row["first"], row["last"], row["value"]) for row in board["rows"]]
    assert sorted(rows[:3]) == [(1, 3, 0.11), (1, 3, 0.113), (1, 4, 0.125)]
    assert rows[3:] == [(3, 4, 0.145), (5, 5, 0.21)]
    for written in (page.read_text(), file.read_text()):
        with Gradebook.reading(ranked.book) as book:
            for handin in book.handins(1):
                for known in (handin.owner, *handin.members, "Navn", "/somewhere", "sofie", "2026", "Group"):
                    assert not re.search(rf"\b{re.escape(known)}\b", written), known
        assert "0.1125" not in written  # as it was measured: rounded, nobody is found by their digits
        assert "://" not in written  # nothing is loaded
    assert all(
        text in page.read_text() for text in ("<h1>Board: Two lines</h1>", "1–4", "0.11 to 0.14", "1 hand-in is not")
    )
    assert "goes by the check that exercise.yaml names" in here(*ranked.board(file), "--bonus", "1", fails=2).stderr
    assert "b.txt is neither a .html nor a .json" in here(*ranked.board(tmp_path / "b.txt"), fails=2).stderr


def test_who_shares_a_place_stands_in_no_order():
    orders = {tuple(row.value for row in board_of_five().rows) for _ in range(60)}
    assert len(orders) > 20


def test_a_student_sees_where_an_own_grading_would_stand(ranked, here, tmp_path):
    file, course = tmp_path / "given.json", ("--course", str(ranked.course))
    file.write_bytes(as_file(board_of_five()))
    assert "There is no board of line." in here("exercise", "board", "line", *course, fails=2).stderr
    lines = here("exercise", "board", "line", str(file), *course, "--plain").stdout.splitlines()
    assert lines[0].split() == ["1–5", lines[0].split()[1], "95", "%:", "0.4", "to", "0.6"]
    assert lines[-1].startswith("tlcourse grade line says where you would stand among the 5 of the board")
    with Record.open() as record:
        document = to_builtins(measured("x", (0.61, 0.7)))
        record.record_attempt("example", document)
    lines = here("exercise", "board", "line", *course, "--plain").stdout.splitlines()  # it was kept
    assert lines[5].split() == ["6", "0.655", "95", "%:", "0.61", "to", "0.7", "←", "you"]
    assert lines[-2] == "behind all 5 by: Error of y"
    assert "measured by yourself" in lines[-1]
    told = json.loads(here("exercise", "board", "line", *course, "--json").stdout)
    assert told["own"]["first"] == 6
    sound = file.read_bytes()
    changed = (sound.replace(b'"last":5', b'"last":7'), sound.replace(b"[0.4,0.6]", b"[0.6,0.4]"))
    for wrong in (b"[]", b"\xff", b"[" * 10**5, *changed, sound.replace(b'"unmeasured": 0', b'"unmeasured": -1')):
        (tmp_path / "wrong.json").write_bytes(wrong)
        assert (
            "is not a board" in here("exercise", "board", "line", str(tmp_path / "wrong.json"), *course, fails=2).stderr
        )


@pytest.mark.slow
def test_an_assignment_on_supplied_files_with_a_bonus_by_rank_comes_to_the_mark_that_is_exported(tl, tmp_path):
    """From hand-ins to the platform's file: reach a share on hidden pictures, and be among the best of the class."""
    course = Path(__file__).parents[1] / "assignments_course"
    constant = (course / "exercises/pictures/starter.py").read_text()
    reference = (course / "graders/references/pictures.py").read_text()
    linear = (course / "graders/wrong/pictures/linear.py").read_text()
    for who, code in {"ann": reference, "ben": linear, "cem": constant, "dea": constant, "eli": constant}.items():
        (tmp_path / "handins" / who).mkdir(parents=True)
        (tmp_path / "handins" / who / "solution.py").write_text(f"{code}\n# {who}\n")
    book = ["--gradebook", str(tmp_path / "g.sqlite")]

    def say(*words):
        done = tl(*words, *book, course=course)
        assert done.returncode == 0, done.stderr
        return done.stdout

    say("batch", "pictures", str(tmp_path / "handins"), "--out", str(tmp_path / "out"), "--json", "--threads", "1")
    refused = tl("ta", "export", "pictures", "--format", "csv", *book, course=course)
    assert refused.returncode == 2
    assert "without all marks by hand" in refused.stderr
    say("ta", "rank", "pictures", "--bonus", "5,3", "--mark", "contest")
    rows = {row["owner"]: row for row in json.loads(say("ta", "rank", "pictures", "--bonus", "5,3", "--json"))["rows"]}
    assert {who: row["bonus"] for who, row in rows.items()} == {"ann": 5} | dict.fromkeys(
        ("ben", "cem", "dea", "eli"), 3
    )
    told = list(csv.DictReader(io.StringIO(say("ta", "export", "pictures", "--format", "csv"))))
    marks = {row["hand-in"]: (row["points"], row["max points"]) for row in told}
    assert marks["ann"] == ("11", "6")  # all six points, and five on top
    assert {marks[who] for who in ("ben", "cem", "dea", "eli")} == {("3", "6")}  # the hidden pictures tell no two apart
    board = tmp_path / "board.json"
    say("ta", "rank", "pictures", "--board", str(board))
    found = json.loads(board.read_text())
    assert (found["title"], len(found["rows"])) == ("Share of validation pictures named right", 5)
    first, *others = found["rows"]
    assert first["first"] == 1
    assert first["value"] > 0.85 > others[0]["value"]
    assert not any(who in board.read_text() for who in ("ann", "ben", "cem", "dea", "eli"))
