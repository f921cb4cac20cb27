"""Answers given key by key, without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlcourse.course.loader import load_course

QUIZ = load_course(Path(__file__).parent.parent.parent / "question_course").quizzes["kinds"]
QUESTIONS = {question.id: question for question in QUIZ.questions}


def test_a_single_choice_keeps_the_last_and_several_are_cleared_again():
    given = QUESTIONS["one"].answer_input()
    given.letter(0)
    given.letter(1)
    assert given.answer() == 1
    many = QUESTIONS["many"].answer_input()
    for index in (2, 0, 1, 1):
        many.letter(index)
    assert many.answer() == [0, 2]
    many.letter(7)  # no such option: nothing happens
    assert many.answer() == [0, 2]


@pytest.mark.parametrize("name", ["one", "many", "pairs", "line"])
def test_nothing_is_handed_in_before_it_is_whole(name):
    with pytest.raises(ValueError, match=r"Choose first|no letter yet"):
        QUESTIONS[name].answer_input().answer()


def test_the_cursor_goes_round_and_space_chooses_under_it():
    given = QUESTIONS["many"].answer_input()
    given.move(-1)
    given.space()
    assert given.answer() == [2]


def test_a_match_moves_to_the_next_line_and_may_be_changed():
    given = QUESTIONS["pairs"].answer_input()
    order = QUESTIONS["pairs"].shown_order()
    for index in (0, 1, 0):
        given.letter(order.index(index))
    assert given.answer() == [0, 1, 0]
    given.letter(order.index(2))  # the cursor stays on the last line
    assert given.answer() == [0, 1, 2]
    shown = given.lines()
    assert [line.selectable for line in shown] == [True] * 3 + [False] * 3
    assert shown[0].text.startswith(f"[{QUESTIONS['pairs'].letter_of(0)}] 1  ")


def test_an_order_begins_wrong_and_is_carried_right():
    given = QUESTIONS["order"].answer_input()
    assert given.answer() != [0, 1, 2]
    assert sorted(given.answer()) == [0, 1, 2]
    for _ in range(3):  # bubble sort with the keys of a person
        for place in range(2):
            given.cursor = place
            if given.order[place] > given.order[place + 1]:
                given.carry(1)
    assert given.answer() == [0, 1, 2]
    given.cursor = 2
    given.carry(1)  # it stops at the end
    assert given.answer() == [0, 1, 2]


def test_a_listing_shows_all_its_lines_and_lets_choose_the_lettered_ones():
    lines = QUESTIONS["line"].answer_input().lines()
    assert [line.selectable for line in lines] == [False, True, True]
    assert [line.kind for line in lines] == ["code"] * 3


def test_after_marking_every_choice_has_its_reason():
    for name, given in (("one", 0), ("many", [0]), ("line", 1), ("pairs", [0, 0, 0]), ("order", [2, 1, 0])):
        lines = QUESTIONS[name].answer_input().lines(given)
        assert all(line.reason is not None for line in lines if line.selectable)


def test_a_drawn_case_becomes_a_choice():
    given = QUESTIONS["case"].realise(3).answer_input()
    assert given.count == 4
