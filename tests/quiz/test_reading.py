"""A typed line becomes an answer, or a sentence that says what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlcourse.course.loader import load_course
from tlcourse.quiz.presenting import letter_of
from tlcourse.quiz.reading import read_answer, wanted

QUIZ = load_course(Path(__file__).parent.parent / "question_course").quizzes["kinds"]
QUESTIONS = {question.id: question for question in QUIZ.questions}


@pytest.mark.parametrize(
    ("name", "line", "answer"),
    [
        ("one", " B ", 1),
        ("many", "c, a", [0, 2]),
        ("many", "ca", [0, 2]),
        ("number", "0,25", 0.25),
        ("number", "−3", -3.0),
        ("line", "a", 0),
    ],
)
def test_what_is_typed_is_read(name, line, answer):
    assert read_answer(QUESTIONS[name], line) == answer


def test_letters_of_matches_and_orders_are_those_that_were_shown():
    pairs, order = QUESTIONS["pairs"], QUESTIONS["order"]
    assert read_answer(pairs, "".join(letter_of(pairs, index) for index in (0, 1, 2))) == [0, 1, 2]
    assert read_answer(order, " ".join(letter_of(order, index) for index in (0, 1, 2))) == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "line"),
    [("one", ""), ("one", "ab"), ("one", "z"), ("many", "ad"), ("number", "one"), ("pairs", "ab"), ("order", "aab")],
)
def test_what_is_no_answer_says_what_was_expected(name, line):
    with pytest.raises(ValueError, match=r"expected|is not a number"):
        read_answer(QUESTIONS[name], line)


def test_every_kind_says_what_it_wants():
    assert all(wanted(question) for question in QUIZ.questions)
