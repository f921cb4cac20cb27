"""Spaced review in the app: how many are due, a round over them, and what is weak."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tlcourse.student.record import Record

COURSE = Path(__file__).parent.parent / "question_course"


def miss(monkeypatch, *questions: str) -> None:
    with monkeypatch.context() as patch, Record.open() as record:
        yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
        patch.setattr("tlcourse.student.record.now", lambda: yesterday)
        for question in questions:
            record.record_answer("kinds-course", "kinds", question, 0, correct=False)


@pytest.mark.slow
async def test_home_counts_what_is_due_and_v_asks_it(visit, monkeypatch):
    miss(monkeypatch, "one", "pairs")
    async with visit(60, 20, course=COURSE) as person:
        assert "Review: 2 due" in person.screen
        assert "Question 1 of 2" in await person.press("v")
        assert "✓ Right." in await person.answer(rightly=True)
        assert "Question 2 of 2" in await person.press("enter")
        await person.press(*[person.question.letter_of(2)] * 3, "enter", "enter")
        shown = await person.sees("The round is over")
        assert "1 of 2 right." in shown
        assert "Weak objectives" in shown
        await person.press("l")
        await person.sees("Kinds › lesson")
    with Record.open() as record:
        assert record.latest_answers("kinds-course", "kinds") == {"one": True, "pairs": False}


async def test_with_nothing_due_review_says_so_and_home_does_not_mention_it(visit):
    async with visit(80, 24, course=COURSE) as person:
        assert "due" not in person.screen
        shown = await person.press("v")
        assert "Nothing is due." in shown
        assert "The round is over" not in shown
        assert "Continue" in await person.press("escape")


@pytest.mark.slow
async def test_after_a_unit_with_a_mixed_quiz_m_goes_on_with_it(visit):
    async with visit(100, 40) as person:
        course = person.app.course
        for question in course.quizzes["smart-watch"].questions:
            person.app.record.record_answer(course.about.id, "smart-watch", question.id, "x", correct=True)
        await person.go("quiz/smart-watch")
        assert "m goes on with the mixed quiz: units 1 to 6." in person.screen
        shown = await person.press("m")
        assert "Mixed quiz: units 1 to 6" in shown
        assert "Question 1 of 12" in shown
        await person.go("quiz/what-is-transferred")
        await person.press("m")
        await person.sees("at the end of some units")
