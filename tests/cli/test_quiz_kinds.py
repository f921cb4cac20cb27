"""`tlcourse quiz take`: a line for every kind of question."""

from __future__ import annotations

import json
from pathlib import Path

from tlcourse.course.loader import load_course
from tlcourse.student.record import Record

COURSE = Path(__file__).parent.parent / "question_course"


def lettered(name: str, *indices: int) -> str:
    question = next(q for q in load_course(COURSE).quizzes["kinds"].questions if q.id == name)
    return "".join(question.letter_of(index) for index in indices)


def lines(*, right: bool) -> str:
    pairs = lettered("pairs", 0, 1, 0) if right else lettered("pairs", 2, 2, 2)
    order = lettered("order", 0, 1, 2) if right else lettered("order", 2, 1, 0)
    answers = ["b", "a c", "0,5", pairs, " ".join(order), "divisible", "y", "a", "a"]
    return "\n".join(answers if right else ["a", "b", "7", pairs, order, "no idea", "n", "a", "b"]) + "\n"


def test_every_kind_is_answered_by_a_line(tl):
    taken = tl("quiz", "take", "kinds", "--json", course=COURSE, stdin=lines(right=True))
    document = json.loads(taken.stdout)
    marks = {row["question"]: row["correct"] for row in document["answers"]}
    assert marks.pop("case") in (True, False)  # drawn anew, and answered by guessing
    assert all(marks.values())
    assert len(marks) == 7
    kept = {row["question"]: row["answer"] for row in document["answers"]}
    assert kept["words"] == {"text": "divisible", "right": True}
    assert kept["pairs"] == [0, 1, 0]


def test_every_kind_can_be_wrong_and_tells_its_reasons(tl):
    taken = tl("quiz", "take", "kinds", course=COURSE, stdin=lines(right=False))
    assert taken.returncode == 0
    for reason in ("Four is twice two.", "Three leaves one as well.", "Every whole number", "Nothing is larger."):
        assert reason in taken.stdout
    assert "Because it is divisible by two." in taken.stdout
    assert "a)     total = a - b" in taken.stdout
    with Record.open() as record:
        marks = record.latest_answers("kinds-course", "kinds")
    del marks["case"]
    assert not any(marks.values())


def test_a_line_that_is_no_answer_is_asked_for_again(tl):
    stdin = "b\na\nseven\n0.5\nab\naaaa\n" + lettered("pairs", 0, 1, 0) + "\naab\nab\nabc\n\nwords\nperhaps\ny\n"
    taken = tl("quiz", "take", "kinds", course=COURSE, stdin=stdin)
    assert taken.stdout.count("is not an answer") == 4
    assert "'seven' is not a number" in taken.stdout
    assert "Write a line first" in taken.stdout
    assert "y or n is expected" in taken.stdout
    assert "answers so far are kept" in taken.stdout


def test_the_help_says_how_each_kind_is_answered(tl):
    words = " ".join(tl("quiz", "take", "--help", course=None).stdout.split())
    for kind in ("letters together", "wrong line of a listing", "order by all letters", "y or n"):
        assert kind in words
