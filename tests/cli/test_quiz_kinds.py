"""`tlcourse quiz take`: a line for every kind of question."""

from __future__ import annotations

import json
import re
from pathlib import Path

from answers import letters, right_letters, wrong_letter

from tlcourse.course.loader import load_course
from tlcourse.quiz.kinds import Question
from tlcourse.student.record import Record, now
from tlcourse.student.review import mixed

COURSE = Path(__file__).parent.parent / "question_course"


def asked() -> dict[str, Question]:
    """The questions as the next visit of this student asks them."""
    with Record.open() as record:
        seed = record.seed("kinds-course")
    return {q.id: q.realise(seed) for q in load_course(COURSE).quizzes["kinds"].questions}


def lines(*, right: bool) -> str:
    found = asked()
    line = dict.fromkeys(found, "a") | {"number": "0,5", "words": "divisible\ny"}
    for name in ("one", "many", "pairs", "order", "case", "line"):
        line[name] = " ".join(right_letters(found[name]))
    line["family"] = str(found["family"].answer)
    if not right:
        line |= {name: wrong_letter(found[name]) for name in ("one", "many", "case", "line")}
        line |= {"number": "7", "words": "no idea\nn", "family": "99"}
        line |= {"pairs": letters(found["pairs"], [2, 2, 2]), "order": letters(found["order"], [2, 1, 0])}
    return "\n".join(line.values()) + "\n"


def test_every_kind_is_answered_by_a_line(tl):
    taken = tl("quiz", "take", "kinds", "--json", course=COURSE, stdin=lines(right=True))
    document = json.loads(taken.stdout)
    marks = {row["question"]: row["correct"] for row in document["answers"]}
    assert all(marks.values())
    assert len(marks) == 9
    kept = {row["question"]: row["answer"] for row in document["answers"]}
    assert kept["words"] == {"text": "divisible", "right": True}
    assert kept["pairs"] == {"1": "odd", "2": "even", "3": "odd"}
    assert kept["one"] == "four"
    assert sorted(kept["many"]) == ["one", "three"]
    assert kept["line"] == "total = a - b"
    assert {row["question"]: row["expected"] for row in document["answers"]}["order"] == ["small", "middle", "large"]


def test_every_kind_can_be_wrong_and_tells_its_reasons(tl):
    taken = tl("quiz", "take", "kinds", course=COURSE, stdin=lines(right=False))
    assert taken.returncode == 0
    for reason in ("Four is twice two.", "Three leaves one as well.", "Every whole number", "Nothing is larger."):
        assert reason in taken.stdout
    assert "Because it is divisible by two." in taken.stdout
    assert "a)     total = a - b" in taken.stdout
    with Record.open() as record:
        marks = record.latest_answers("kinds-course", "kinds")
    assert len(marks) == 9
    assert not any(marks.values())


def test_a_line_that_is_no_answer_is_asked_for_again(tl):
    pairs = letters(asked()["pairs"], [0, 1, 0])
    stdin = f"b\na\nseven\n0.5\nab\naaaa\n{pairs}" + "\naab\nab\nabc\n\nwords\nperhaps\ny\n"
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


def test_options_stand_elsewhere_at_another_visit_and_for_another_student(tl):
    course = load_course(COURSE)
    orders = {
        tuple(option.text for option in course.quizzes["kinds"].questions[0].realise(n).options) for n in range(9)
    }
    assert orders == {("three", "four"), ("four", "three")}
    with Record.open() as record:
        before = record.seed("kinds-course")
        assert record.seed("kinds-course") == before  # a visit that answers nothing draws nothing new
        record.record_answer("kinds-course", "kinds", "one", "four", correct=True)
        assert record.seed("kinds-course") != before


def test_a_mixed_quiz_is_listed_and_taken_and_answers_count_where_they_come_from(tl):
    listed = tl("quiz", "list", "--plain", course=None).stdout
    assert re.search(r"^mixed-lora +12 questions  Mixed quiz: units 1 to 12$", listed, re.MULTILINE)
    course = load_course()
    with Record.open() as record:
        (quiz, plain), *_ = mixed(course, record, "mixed-lora", now())
        question = plain.realise(record.seed(course.about.id))
    if question.type in ("numeric", "short"):
        line = str(question.answer) if question.type == "numeric" else "mine\ny"
    else:
        line = right_letters(question)
    taken = tl("quiz", "take", "mixed-lora", "--json", course=None, stdin=f"{line}\n")
    document = json.loads(taken.stdout)
    assert (document["quiz"], document["right"], document["of"]) == ("mixed-lora", 1, 12)
    with Record.open() as record:
        assert record.latest_answers(course.about.id, quiz) == {question.id: True}
