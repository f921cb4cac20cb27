"""Spaced review: what was missed comes back soon, what was right in days, and nothing depends on the kept cards."""

from __future__ import annotations

import datetime
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from fsrs import Card, Rating, Scheduler
from msgspec.structs import replace

from tlcourse.course.loader import load_course
from tlcourse.course.markdown import folded
from tlcourse.student.overview import overview
from tlcourse.student.record import Record, now
from tlcourse.student.review import (
    coming,
    due,
    in_words,
    mixed,
    next_due,
    rate,
    recalled,
    retrievability,
    weak_objectives,
)

COURSE = load_course(Path(__file__).parent.parent / "question_course")
MONDAY = datetime.datetime(2026, 3, 2, 9, 0, tzinfo=datetime.UTC)
MINUTE, DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)


@pytest.fixture
def record(tmp_path):
    with Record.open(tmp_path / "record.sqlite") as opened:
        yield opened


@pytest.fixture
def answer(record, monkeypatch):
    """`answer("one", True, when)` puts an answer of that moment into the record."""

    def put(question: str, right: bool, when: datetime.datetime) -> None:
        monkeypatch.setattr("tlcourse.student.record.now", lambda: when)
        record.record_answer("kinds-course", "kinds", question, 0, correct=right)

    return put


def names(record, when):
    return [question.id for _, question in due(COURSE, record, when)]


def test_nothing_is_due_before_anything_was_answered(record):
    assert names(record, MONDAY) == []
    assert next_due(COURSE, record, MONDAY) is None


def test_a_missed_question_comes_back_after_ten_minutes_and_a_right_one_after_days(record, answer):
    answer("one", False, MONDAY)
    answer("many", True, MONDAY)
    assert names(record, MONDAY + 5 * MINUTE) == []
    assert names(record, MONDAY + 10 * MINUTE) == ["one"]
    assert names(record, MONDAY + DAY) == ["one"]
    assert set(names(record, MONDAY + 10 * DAY)) == {"one", "many"}


def test_each_right_answer_when_it_is_due_makes_the_wait_longer(record, answer):
    when, waits = MONDAY, []
    for _ in range(4):
        answer("one", True, when)
        names(record, when)
        following = next_due(COURSE, record, when)
        waits.append(following - when)
        when = following
    assert waits == sorted(waits)
    assert waits[0] >= DAY
    assert waits[3] > 3 * waits[0]


def test_forgetting_makes_the_wait_short_again(record, answer):
    answer("one", True, MONDAY)
    answer("one", True, MONDAY + 5 * DAY)
    answer("one", False, MONDAY + 30 * DAY)
    assert names(record, MONDAY + 30 * DAY + 10 * MINUTE) == ["one"]


def test_the_longest_overdue_is_asked_first(record, answer):
    answer("many", False, MONDAY + MINUTE)
    answer("one", False, MONDAY)
    assert names(record, MONDAY + DAY) == ["one", "many"]


def test_cards_are_only_kept_and_are_computed_again_from_the_answers_when_they_are_lost(record, answer, tmp_path):
    for day, (name, right) in enumerate([("one", True), ("many", False), ("one", False), ("number", True)]):
        answer(name, right, MONDAY + day * DAY)
        names(record, MONDAY + day * DAY)  # catches up one by one
    kept = record.cards("kinds-course")
    assert [(card.question, card.answer) for card in kept] == [("many", 2), ("one", 3), ("number", 4)]
    with sqlite3.connect(tmp_path / "record.sqlite") as db:
        db.execute("DELETE FROM cards")
    db.close()
    names(record, MONDAY)  # catches up at once
    assert record.cards("kinds-course") == kept


def test_a_clock_that_was_put_back_does_no_harm(record, answer):
    answer("one", True, MONDAY)
    answer("one", True, MONDAY - DAY)
    assert next_due(COURSE, record, MONDAY - 2 * DAY) > MONDAY
    assert names(record, MONDAY + 100 * DAY) == ["one"]


def test_a_question_that_the_course_no_longer_has_is_not_asked(record, answer):
    answer("gone", False, MONDAY)
    assert names(record, MONDAY + DAY) == []
    assert coming(COURSE, record, MONDAY, 7) == [0] * 7
    assert next_due(COURSE, record, MONDAY) is None
    answer("one", True, MONDAY)
    assert names(record, MONDAY) == []
    assert sum(coming(COURSE, record, MONDAY, 30)) == 1
    assert next_due(COURSE, record, MONDAY) > MONDAY + DAY


LORA = load_course()


def test_what_a_lesson_asks_comes_back_by_whether_it_was_known_beside_what_quizzes_ask(record, monkeypatch):
    first, second, third = recalled(LORA, "lora")
    assert (first.id, first.section) == ("lora#q-cb6b6d87", "lora#a-change-of-low-rank")
    assert first.prompt.endswith("largest rank that ΔW could have without LoRA?")  # without the marks of Markdown
    assert first.answer_text.startswith("4 · (1024 + 4096) = 20 480")
    monkeypatch.setattr("tlcourse.student.record.now", lambda: MONDAY)
    record.record_answer("transfer-learning", "lora", "lora-rank", 0, correct=False)  # as a quiz keeps it
    waits = [rate(record, "transfer-learning", one, known) - MONDAY for one, known in (
        (first, "no"), (second, "partly"), (third, "yes"))]  # fmt: skip
    assert waits[:2] == [10 * MINUTE, 15 * MINUTE]
    assert waits[2] > DAY
    asked = due(LORA, record, MONDAY + 15 * MINUTE)
    assert [(quiz, one.id) for quiz, one in asked] == [
        ("lora", "lora-rank"),
        ("lesson/lora", "lora#q-cb6b6d87"),
        ("lesson/lora", "lora#q-752eb325"),
    ]
    state = overview(LORA, record)
    assert state.due == 4  # by now
    assert sum(unit.right for unit in state.units for unit in unit.quizzes) == 0  # nothing of it is a quiz's


def test_a_question_of_a_lesson_is_known_by_its_words(record):
    asks = "## End\n\nWhy?\n\n**Answer.** *So*, [see](x).\n\nAside.\n\n**Check.** And `b`?\n\n**Answer.** No.\n"
    first, second = folded(asks)
    assert (first.section, first.place, first.question, first.answer) == ("end", "end", "Why?", "So, see.")
    assert (second.section, second.place, second.question, second.answer) == ("end", "end.2", "And b?", "No.")
    inserted = asks.replace(
        "## End\n", "## Start\n\nWhat?\n\n**Answer.** That.\n\n## The end\n\nHow?\n\n**Answer.** Thus.\n"
    )
    assert [one.name for one in folded(inserted)][2:] == [first.name, second.name]
    twice = folded("## A\n\nWhy?\n\n**Answer.** So.\n\n## B\n\nWhy?\n\n**Answer.** Else.\n")
    assert twice[0].name == first.name != twice[1].name


def test_an_answer_that_is_gone_is_not_asked_and_a_heading_may_ask(record):
    record.record_answer("transfer-learning", "lesson/lora", "lora#gone", "no", correct=False)
    assert due(LORA, record, now() + DAY) == []
    bare = replace(LORA.lessons["lora"], body="## Why so?\n\n**Answer.** Straight below its heading.\n")
    assert [one.prompt for one in recalled(replace(LORA, lessons={"lora": bare}), "lora")] == ["Why so?"]


def test_answers_that_were_kept_by_place_are_those_to_the_questions_that_stood_there(record):
    asked = LORA.lessons["smart-watch"]
    record.record_answer("transfer-learning", "lesson/smart-watch", "smart-watch#check-yourself.2", "no", correct=False)
    record.record_answer("transfer-learning", "lesson/smart-watch", "smart-watch#check-yourself", "yes", correct=True)
    second = next(one for one in folded(asked.body) if one.place == "check-yourself.2")
    assert [one.prompt for _, one in due(LORA, record, now() + DAY)] == [second.question]
    above = "## Check yourself\n\n**Check.** A new one?\n\n**Answer.** Yes.\n\n"
    edited = replace(asked, body=asked.body.replace("## Check yourself\n", above, 1))
    later = replace(LORA, lessons={**LORA.lessons, "smart-watch": edited})
    assert [one.prompt for _, one in due(later, record, now() + DAY)] == [second.question]
    assert len(record.latest_answers("transfer-learning", "lesson/smart-watch")) == 2


def test_objectives_are_weak_by_what_was_missed_and_by_time(record, answer):
    answer("one", True, MONDAY)  # objective "answer"
    answer("pairs", False, MONDAY)  # objective "sort"
    weak = weak_objectives(COURSE, record, MONDAY + MINUTE)
    assert [(goal.objective, goal.recall, goal.missed) for goal in weak] == [("sort", 0.0, 1)]
    later = weak_objectives(COURSE, record, MONDAY + 300 * DAY)
    assert [goal.objective for goal in later] == ["sort", "answer"]
    assert 0 < later[1].recall < 0.8


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (3 * DAY, "in 3 days"),
        (DAY, "in 1 day"),
        (5 * 60 * MINUTE, "in 5 hours"),
        (7 * MINUTE, "in 7 minutes"),
        (-DAY, "in 1 minute"),
    ],
)
def test_waits_are_said_in_words(wait, said):
    assert in_words(MONDAY + wait, MONDAY) == said
    assert in_words(None, MONDAY) == "when something was answered"


def test_a_mixed_quiz_takes_weak_objectives_first_and_one_question_of_each_in_turn(tmp_path):
    course = load_course()
    with Record.open(tmp_path / "mixed.sqlite") as record:
        name, moment = "mixed-lora", now()
        asked = mixed(course, record, name, moment)
        assert asked == mixed(course, record, name, moment)
        assert len(asked) == len({question.id for _, question in asked}) == 12
        units = [unit.id for unit in course.about.units[:12]]
        assert {question.section.partition("#")[0] for _, question in asked} <= set(units)
        assert len({question.objective for _, question in asked}) == 12  # there are more objectives than questions
        assert all(question in course.quizzes[quiz].questions for quiz, question in asked)
        for quiz in ("anchoring", "adapters"):
            for question in course.quizzes[quiz].questions:
                weak = question.objective == "weigh-anchor"
                record.record_answer(course.about.id, quiz, question.id, "x", correct=not weak)
        later = mixed(course, record, name, moment)
        objectives = [question.objective for _, question in later]
        assert "weigh-anchor" in objectives  # missed
        assert not {"write-anchored-loss", "place-an-adapter"} & set(objectives)  # known; others were never asked about
        assert {question.id for _, question in later} != {question.id for _, question in asked}


def test_where_objectives_are_fewer_than_questions_each_is_asked_before_one_is_asked_again(tmp_path):
    course = load_course()
    units = [replace(unit, mixed=20) if unit.id == "smart-watch" else unit for unit in course.about.units]
    course = replace(course, about=replace(course.about, units=units))
    goals = {goal.id for unit in units[:6] for goal in unit.objectives}
    with Record.open(tmp_path / "mixed.sqlite") as record:
        counts = Counter(question.objective for _, question in mixed(course, record, "mixed-smart-watch", now()))
    assert set(counts) == goals
    assert sorted(counts.values()) == [1] * (2 * len(goals) - 20) + [2] * (20 - len(goals))
    assert course.title_of_mixed("mixed-smart-watch") == "Mixed quiz: units 1 to 6"


def test_how_probably_a_card_is_remembered_is_what_fsrs_says():
    scheduler, day = Scheduler(enable_fuzzing=False), datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    card = Card(card_id=1)
    assert retrievability(card.to_dict(), day) == scheduler.get_card_retrievability(card, day) == 0.0
    for rating, days in ((Rating.Good, 1), (Rating.Good, 9), (Rating.Again, 40), (Rating.Good, 3)):
        card, _ = scheduler.review_card(card, rating, day)
        for later in (0, 1, 10, 400):
            then = day + datetime.timedelta(days=later)
            assert retrievability(card.to_dict(), then) == pytest.approx(scheduler.get_card_retrievability(card, then))
        day += datetime.timedelta(days=days)
