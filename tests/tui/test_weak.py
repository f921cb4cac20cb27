"""Objectives that are weak are named where one looks for what to do next."""

from __future__ import annotations

import json

import pytest

from tlcourse.student.record import Record

COURSE = "transfer-learning"


@pytest.mark.slow
async def test_progress_names_the_weakest_and_leads_to_its_lesson(visit):
    async with visit(100, 40) as person:
        assert "Weak objectives" not in await person.press("6")
        await person.press("l")
        await person.sees("No objective is weak")
        app = person.app
        app.record.record_answer(COURSE, "covariate-shift", "covariate-definition", 0, correct=False)
        app.changed()
        shown = await person.press("escape", "6")
        assert "Weak objectives" in shown
        assert "!   0%" in shown
        await person.press("l")
        question = app.course.quizzes["covariate-shift"].questions[0]
        goals = {goal.id: unit.id for unit in app.course.about.units for goal in unit.objectives}
        assert app.screen.unit == goals[question.objective]


def test_the_command_names_them_too(tl):
    with Record.open() as record:
        record.record_answer(COURSE, "covariate-shift", "covariate-definition", 0, correct=False)
    document = json.loads(tl("progress", "--json", course=None).stdout)
    assert [goal["recall"] for goal in document["weak"]] == [0.0]
    assert "Weak (0%)" in tl("progress", course=None).stdout
    assert "## Weak objectives" in tl("progress", "--markdown", course=None).stdout
