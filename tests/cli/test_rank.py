"""A class in the order of one measurement: who differs by less than it can tell shares a place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace
from results import result

from tlcourse.grading.gradebook.by_hand import hand_marks
from tlcourse.grading.gradebook.changes import note_class
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, HandInRecord
from tlcourse.grading.lms.roster import Person
from tlcourse.presenting.report.ranking import places

EXAMPLE = Path(__file__).parent.parent / "example_course"
MANUAL = """
parts:
  - {id: lines, kind: model}
  - {id: by-hand, kind: manual, rubric: [{id: contest, text: Place in the class, points: 5}]}
"""
ERRORS = {"a": (0.10, 0.12), "b": (0.11, 0.14), "c": (0.13, 0.16), "d": (0.20, 0.22), "e": None}
"""The error of each, at 95 %: a and b overlap, b and c do, a is surely better than c, all are than d; e crashed."""


def test_a_place_is_one_more_than_how_many_are_surely_better():
    assert places([(0.9, 0.95), (0.88, 0.93), (0.86, 0.89), (0.1, 0.2)], "at_least") == [1, 1, 2, 4]
    assert places([(0.1, 0.12), (0.11, 0.14), (0.13, 0.16)], "at_most") == [1, 1, 2]
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
            measured, interval = result("fail", 0.0), ERRORS[handin.key]
            check = (
                replace(measured.checks[0], id="y_error", interval=interval, value=sum(interval) / 2)
                if interval
                else None
            )
            document = replace(measured, checks=[check] if check else [], outcome="fail" if check else "crash")
            book.record(handin.id, 0, document, "")

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
