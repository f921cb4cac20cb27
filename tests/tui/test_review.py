"""Spaced review in the app: how many are due, a round over them, and what is weak."""

from __future__ import annotations

import datetime
from pathlib import Path

from tlcourse.student.record import Record

COURSE = Path(__file__).parent.parent / "question_course"


def miss(monkeypatch, *questions: str) -> None:
    with monkeypatch.context() as patch, Record.open() as record:
        yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
        patch.setattr("tlcourse.student.record.now", lambda: yesterday)
        for question in questions:
            record.record_answer("kinds-course", "kinds", question, 0, correct=False)


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
