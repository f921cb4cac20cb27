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


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("one", "Choose first: a letter, or space on an option."),
        ("many", "Choose first: a letter, or space on an option."),
        ("line", "Choose first: a letter, or space on an option."),
        ("pairs", "3 of 3 lines have no letter yet."),
    ],
)
def test_nothing_is_submitted_before_it_is_whole(name, said):
    with pytest.raises(ValueError) as refused:
        QUESTIONS[name].answer_input().answer()
    assert str(refused.value) == said


def test_a_match_is_whole_when_its_last_line_has_a_letter():
    given = QUESTIONS["pairs"].answer_input()
    given.letter(0)
    given.letter(0)
    with pytest.raises(ValueError, match=r"^1 of 3 lines have no letter yet\.$"):
        given.answer()
    given.letter(0)
    assert given.answer() == [2, 2, 2]


def test_letters_that_name_nothing_change_nothing():
    for name, count in (("one", 2), ("many", 3), ("pairs", 3), ("order", 3)):
        given = QUESTIONS[name].answer_input()
        before = given.lines()
        for index in (count, 8):
            given.letter(index)
        assert (given.lines(), given.cursor) == (before, 0)


def test_space_goes_through_the_right_sides_in_the_order_shown_and_stays_on_its_line():
    given = QUESTIONS["pairs"].answer_input()
    given.letter(1)
    given.letter(0)
    seen = []
    for _ in range(5):
        given.space()
        seen.append(given.matches[2])
    assert seen == [2, 0, 1, 2, 0]  # a, b, c, and again from the first
    given.move(-1)
    given.space()
    assert given.answer() == [0, 0, 0]
    assert given.cursor == 1


def test_an_order_follows_its_letters_wherever_the_lines_are():
    given = QUESTIONS["order"].answer_input()  # shown as 0, 2, 1 and lettered a, b, c
    given.space()
    given.move(1)  # b, a, c
    given.letter(0)
    assert given.cursor == 1
    given.move(1)  # nothing is carried after a letter
    assert (given.cursor, given.answer()) == (2, [2, 0, 1])
    given.letter(1)
    assert given.cursor == 0
    given.carry(-1)  # it stops at the beginning
    assert (given.cursor, given.answer()) == (0, [2, 0, 1])
    given.carry(1)
    assert (given.cursor, given.answer()) == (1, [0, 2, 1])
    given.carry(-1)
    assert (given.cursor, given.answer()) == (0, [2, 0, 1])


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
