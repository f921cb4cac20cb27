"""Answers given key by key, without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlcourse.course.loader import load_course
from tlcourse.quiz.draft import draft_of
from tlcourse.quiz.presenting import letter_of, realise, shown_order

QUIZ = load_course(Path(__file__).parent.parent / "question_course").quizzes["kinds"]
QUESTIONS = {question.id: question for question in QUIZ.questions}


def test_a_single_choice_keeps_the_last_and_several_are_taken_back():
    draft = draft_of(QUESTIONS["one"])
    draft.letter(0)
    draft.letter(1)
    assert draft.answer() == 1
    many = draft_of(QUESTIONS["many"])
    for index in (2, 0, 1, 1):
        many.letter(index)
    assert many.answer() == [0, 2]
    many.letter(7)  # no such option: nothing happens
    assert many.answer() == [0, 2]


@pytest.mark.parametrize("name", ["one", "many", "pairs", "line"])
def test_nothing_is_handed_in_before_it_is_whole(name):
    with pytest.raises(ValueError, match=r"Choose first|no letter yet"):
        draft_of(QUESTIONS[name]).answer()


def test_the_cursor_goes_round_and_space_chooses_under_it():
    draft = draft_of(QUESTIONS["many"])
    draft.move(-1)
    draft.space()
    assert draft.answer() == [2]


def test_a_match_goes_on_to_the_next_line_and_may_be_changed():
    draft = draft_of(QUESTIONS["pairs"])
    order = shown_order(QUESTIONS["pairs"])
    for index in (0, 1, 0):
        draft.letter(order.index(index))
    assert draft.answer() == [0, 1, 0]
    draft.letter(order.index(2))  # the cursor stays on the last line
    assert draft.answer() == [0, 1, 2]
    shown = draft.lines()
    assert [line.selectable for line in shown] == [True] * 3 + [False] * 3
    assert shown[0].text.startswith(f"[{letter_of(QUESTIONS['pairs'], 0)}] 1  ")


def test_an_order_begins_wrong_and_is_carried_right():
    draft = draft_of(QUESTIONS["order"])
    assert draft.answer() != [0, 1, 2]
    assert sorted(draft.answer()) == [0, 1, 2]
    for _ in range(3):  # bubble sort with the keys of a person
        for place in range(2):
            draft.cursor = place
            if draft.order[place] > draft.order[place + 1]:
                draft.carry(1)
    assert draft.answer() == [0, 1, 2]
    draft.cursor = 2
    draft.carry(1)  # it stops at the end
    assert draft.answer() == [0, 1, 2]


def test_a_listing_shows_all_its_lines_and_lets_choose_the_lettered_ones():
    lines = draft_of(QUESTIONS["line"]).lines()
    assert [line.selectable for line in lines] == [False, True, True]
    assert [line.kind for line in lines] == ["code"] * 3


def test_after_marking_every_choice_has_its_reason():
    for name, given in (("one", 0), ("many", [0]), ("line", 1), ("pairs", [0, 0, 0]), ("order", [2, 1, 0])):
        lines = draft_of(QUESTIONS[name]).lines(given)
        assert all(line.reason is not None for line in lines if line.selectable)


def test_a_drawn_case_becomes_a_choice():
    draft = draft_of(realise(QUESTIONS["case"], 3))
    assert draft.count == 4
