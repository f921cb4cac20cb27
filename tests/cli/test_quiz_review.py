"""`tlcourse quiz review`: asks what is due, and says what comes next."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from answers import right_letters

from tlcourse.course.loader import load_course
from tlcourse.student.record import Record

COURSE = Path(__file__).parent.parent / "question_course"


@pytest.fixture
def missed(monkeypatch):
    """Yesterday `one` was answered wrongly and `number` rightly."""
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    monkeypatch.setattr("tlcourse.student.record.now", lambda: yesterday)
    with Record.open() as record:
        record.record_answer("kinds-course", "kinds", "one", 0, correct=False)
        record.record_answer("kinds-course", "kinds", "number", 0.5, correct=True)


def test_what_was_missed_is_asked_again_and_then_waits(tl, missed):
    listed = json.loads(tl("quiz", "review", "--list", "--json", course=COURSE).stdout)
    assert listed["due"] == 1
    assert [goal["objective"] for goal in listed["weak"]] == ["answer"]
    with Record.open() as record:
        question = load_course(COURSE).quizzes["kinds"].questions[0].realise(record.seed("kinds-course"))
    reviewed = tl("quiz", "review", course=COURSE, stdin=right_letters(question) + "\n")
    assert "1 of 1  Which number is even?" in reviewed.stdout
    assert "1 of 1 right." in reviewed.stdout
    assert "Due now: 0. The next question comes back in" in reviewed.stdout
    with Record.open() as record:
        assert record.latest_answers("kinds-course", "kinds")["one"] is True


def test_nothing_due_is_no_error(tl):
    reviewed = tl("quiz", "review", course=COURSE)
    assert reviewed.returncode == 0
    assert "Due now: 0. The next question comes back when something was answered." in reviewed.stdout


def test_progress_names_what_is_due(tl, missed):
    assert "Due for review: 1: tlcourse quiz review" in tl("progress", course=COURSE).stdout
