"""A visit to a quiz goes on where the record ends, and repeats what was missed."""

from __future__ import annotations

import pytest
from answers import right_answer

from tlcourse.quiz.kinds import Single
from tlcourse.quiz.kinds.question import Option
from tlcourse.quiz.session import Session

QUESTIONS = [
    Single(
        id=name,
        prompt="?",
        objective="o",
        section="u#s",
        options=[Option("right", "r", correct=True), Option("wrong", "r")],
    )
    for name in ("one", "two", "three")
]


def test_questions_come_in_their_order_until_the_round_is_over():
    session = Session(QUESTIONS, {})
    asked = []
    while (question := session.question) is not None:
        asked.append(question.id)
        session.answer(right_answer(question))
        session.advance()
    assert asked == ["one", "two", "three"]
    assert session.right == 3
    assert session.missed() == []


def test_a_visit_goes_on_at_the_first_question_never_answered():
    session = Session(QUESTIONS, {"one": False, "three": True})
    assert session.question.id == "two"
    assert (session.left, session.answered, session.right) == (1, 2, 1)


def test_a_second_round_asks_what_was_missed_alone_and_forgives():
    session = Session(QUESTIONS, {"one": False, "two": True, "three": False})
    assert session.question is None
    session.retry_missed()
    assert session.question.id == "one"
    session.answer(right_answer(session.question))
    session.advance()
    assert session.question.id == "three"
    session.answer(1 - right_answer(session.question))
    session.advance()
    assert [question.id for question in session.missed()] == ["three"]


def test_everything_can_be_asked_again():
    session = Session(QUESTIONS, {"one": True, "two": True, "three": True})
    session.restart()
    assert session.left == 3


def test_each_round_draws_its_orders_anew_and_the_same_seed_draws_them_again():
    def orders(seed):
        session, found = Session(QUESTIONS, {}, seed), []
        for _ in range(8):
            found.append(session.question.choices())
            session.restart()
        return found

    assert orders(7) == orders(7)
    assert len({tuple(order) for order in orders(7)}) == 2
    assert orders(7)[1:] == orders(8)[:-1]


def test_nothing_can_be_answered_when_nothing_is_asked():
    with pytest.raises(ValueError, match="no question"):
        Session(QUESTIONS, {"one": True, "two": True, "three": True}).answer(0)


def test_a_question_that_the_quiz_no_longer_has_is_left_out():
    assert Session(QUESTIONS, {"gone": False}).answered == 0
