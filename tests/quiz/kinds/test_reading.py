"""A typed line becomes an answer, or a sentence that says what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlcourse.course.loader import load_course

QUIZ = load_course(Path(__file__).parent.parent.parent / "question_course").quizzes["kinds"]
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
    assert QUESTIONS[name].read(line) == answer


def test_letters_of_matches_and_orders_are_those_that_were_shown():
    pairs, order = QUESTIONS["pairs"], QUESTIONS["order"]
    assert pairs.read("".join(pairs.letter_of(index) for index in (0, 1, 2))) == [0, 1, 2]
    assert order.read(" ".join(order.letter_of(index) for index in (0, 1, 2))) == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "line"),
    [("one", ""), ("one", "ab"), ("one", "z"), ("many", "ad"), ("number", "one"), ("pairs", "ab"), ("order", "aab")],
)
def test_what_is_no_answer_says_what_was_expected(name, line):
    with pytest.raises(ValueError, match=r"expected|is not a number"):
        QUESTIONS[name].read(line)


def test_every_kind_says_what_it_wants():
    assert all(question.wanted() for question in QUIZ.questions)
