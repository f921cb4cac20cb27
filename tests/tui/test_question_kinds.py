"""Every kind of question, answered with the keyboard alone on a small and a larger terminal."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from answers import letters

from tlcourse.paths import record_file
from tlcourse.student.record import Record
from tlcourse.tui.widgets.round_view import listing

COURSE = Path(__file__).parent.parent / "question_course"
SIZES = [(60, 20), pytest.param((100, 40), marks=[pytest.mark.slow, pytest.mark.nightly])]


async def begin_at(person, name: str) -> None:
    quiz = person.app.course.quizzes["kinds"]
    for question in quiz.questions:
        if question.id == name:
            break
        person.app.record.record_answer("kinds-course", "kinds", question.id, 0, correct=True)
    await person.go("quiz/kinds")


def latest() -> dict[str, bool]:
    with Record.open() as record:
        return record.latest_answers("kinds-course", "kinds")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_matches_are_given_by_letters_and_each_has_its_reason(visit, size):
    async with visit(*size, course=COURSE) as person:
        await begin_at(person, "pairs")
        assert "give each line its letter" in " ".join(person.screen.replace("│", " ").split())
        await person.press("enter")
        await person.sees("3 of 3 lines")
        await person.press(*letters(person.question, [0, 1]), "space", "up", "down")
        odd = letters(person.question, 0)
        while f"[{odd}] 3" not in person.screen:
            await person.press("space")
        assert "✓ Right." in await person.press("enter")
        await person.press(*["k"] * 20)
        assert "One leaves one." in person.screen
    assert latest()["pairs"] is True


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_lines_are_carried_to_their_order_by_space_and_arrows(visit, size):
    async with visit(*size, course=COURSE) as person:
        await begin_at(person, "order")
        question = person.app.screen.session.question
        for place in range(3):
            await person.press(question.letter_of(place))  # to the line that belongs here
            while person.app.screen.answer_input.order[place] != place:
                await person.press("space", "up", "space")
        assert "✓ Right." in await person.press("enter")
    assert latest()["order"] is True


@pytest.mark.slow
async def test_an_order_is_carried_by_capital_letters_too_and_a_wrong_one_shows_the_right_one(visit):
    async with visit(100, 40, course=COURSE) as person:
        await begin_at(person, "order")
        before = list(person.app.screen.answer_input.order)
        await person.press("J")
        assert person.app.screen.answer_input.order == [before[1], before[0], before[2]]
        await person.press("K")
        assert person.app.screen.answer_input.order == before
        shown = await person.press("enter")
        assert "✗ Wrong." in shown
        assert "small: The smallest comes first." in shown
    assert latest()["order"] is False


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_own_words_are_compared_with_a_model_answer_and_marked_by_their_author(visit, size):
    async with visit(*size, course=COURSE) as person:
        await begin_at(person, "words")
        await person.press("enter")
        await person.sees("Write a line first")
        await person.type("two divides it, any y n q")
        assert latest().get("words") is None
        await person.press("enter")
        await person.sees("divisible by two")
        await person.press("enter")
        await person.sees("y if yours says the same")
        assert "You marked it wrong" in await person.press("n")
    assert latest()["words"] is False
    with contextlib.closing(sqlite3.connect(record_file())) as db:
        ((kept,),) = db.execute("SELECT answer FROM answers WHERE question = 'words'")
    assert "two divides it, any y n q" in kept


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_drawn_case_shows_its_tables_and_has_one_answer(visit, size):
    async with visit(*size, course=COURSE) as person:
        await begin_at(person, "case")
        assert "P(x, y)" in person.screen
        question = person.app.screen.session.question
        right = next(index for index, option in enumerate(question.options) if option.correct)
        assert "✓ Right." in await person.press("abcd"[right], "enter")
    assert latest()["case"] is True


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_wrong_line_of_a_listing_is_chosen_by_its_letter_or_the_cursor(visit, size):
    async with visit(*size, course=COURSE) as person:
        await begin_at(person, "line")
        person.app.record.record_answer("kinds-course", "kinds", "family", 0, correct=True)
        await person.go("home")
        await person.go("quiz/kinds")
        assert "def add(a, b):" in person.screen
        assert "a)     total = a - b" in person.screen
        await person.press("down", "space")
        assert "✗ Wrong." in await person.press("enter")
        assert "It subtracts." in person.screen
        await person.press("enter", "r")
        assert "✓ Right." in await person.press("a", "enter")
    assert latest()["line"] is True


async def test_help_names_the_keys_of_orders_and_own_words(visit):
    async with visit(100, 40, course=COURSE) as person:
        await person.go("quiz/kinds")
        shown = await person.press("question_mark")
        assert "Carry down" in shown
        assert "Mine says the same" in shown


def test_a_listing_has_line_numbers_and_colours_where_it_is_a_program_and_a_table_stands_as_it_is():
    program = listing("def f(x):\n    return x + 1")
    assert program.plain == "1  def f(x):\n2      return x + 1"
    assert len({str(span.style) for span in program.spans}) > 2
    table = "       y = 0   y = 1\nx = 0   .3      .1"
    assert listing(table).plain == table
    assert listing("0.3\n0.5").plain == "0.3\n0.5"
    assert listing("(" * 500).plain == "(" * 500
