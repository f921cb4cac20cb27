"""What is right, and what cannot be marked."""

from __future__ import annotations

import math

import pytest

from tlcourse.quiz.kinds import Bug, Matching, Multiple, Numeric, Ordering, Short, Single
from tlcourse.quiz.kinds.matching import Pair
from tlcourse.quiz.kinds.ordering import Step
from tlcourse.quiz.kinds.question import Option, OwnWords, for_record

COMMON = {"prompt": "?", "objective": "o", "section": "u#s"}
SINGLE = Single(id="s", options=[Option("a", "r"), Option("b", "r", correct=True), Option("c", "r")], **COMMON)
MULTIPLE = Multiple(
    id="m",
    options=[Option("a", "r", correct=True), Option("b", "r"), Option("c", "r", correct=True)],
    **COMMON,
)
NUMERIC = Numeric(id="n", answer=0.3, tolerance=0.01, reason="r", **COMMON)

MATCHING = Matching(
    id="t",
    pairs=[Pair("1", "odd", "r"), Pair("2", "even", "r"), Pair("3", "odd", "r")],
    options=[Option("neither", "r")],
    **COMMON,
)
ORDERING = Ordering(id="o", steps=[Step("one", "r"), Step("two", "r"), Step("three", "r")], **COMMON)
SHORT = Short(id="w", answer_text="model", reason="r", **COMMON)
BUG = Bug(
    id="b",
    code="a = 1\nb = a",
    options=[Option("a = 1", "r"), Option("b = a", "r", correct=True)],
    **COMMON,
)


def test_a_single_choice_is_right_or_not():
    assert SINGLE.mark(1).correct
    assert not SINGLE.mark(0).correct
    assert SINGLE.mark(0).expected == 1


def test_several_choices_need_all_that_are_right_and_no_other_in_any_order():
    assert MULTIPLE.mark([2, 0]).correct
    assert not MULTIPLE.mark([0]).correct
    assert not MULTIPLE.mark([0, 1, 2]).correct
    assert MULTIPLE.mark([0]).expected == [0, 2]


@pytest.mark.parametrize(("given", "correct"), [(0.3, True), (0.31, True), (0.29, True), (0.3101, False), (3, False)])
def test_a_number_is_right_within_its_tolerance_both_ends_included(given, correct):
    assert NUMERIC.mark(given).correct is correct


@pytest.mark.parametrize("given", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_is_wrong(given):
    assert not NUMERIC.mark(given).correct


def test_two_left_sides_may_have_the_same_right_side_and_every_match_counts():
    assert MATCHING.mark([0, 1, 0]).correct
    assert not MATCHING.mark([0, 1, 2]).correct
    assert MATCHING.mark([2, 2, 2]).expected == [0, 1, 0]


def test_an_order_is_right_as_a_whole():
    assert ORDERING.mark([0, 1, 2]).correct
    assert not ORDERING.mark([0, 2, 1]).correct


def test_a_short_answer_is_marked_by_its_author_beside_the_model_answer():
    assert SHORT.mark(OwnWords("mine", True)).correct
    marked = SHORT.mark(OwnWords("mine", False))
    assert (marked.correct, marked.expected) == (False, "model")
    assert for_record(OwnWords("mine", False)) == {"text": "mine", "right": False}


def test_a_line_of_code_is_a_single_choice():
    assert BUG.mark(1).correct
    assert BUG.mark(0).expected == 1


@pytest.mark.parametrize(
    ("question", "given"),
    [
        (SINGLE, 3),
        (SINGLE, -1),
        (SINGLE, [0, 1]),
        (MULTIPLE, [0, 7]),
        (NUMERIC, [1]),
        (SINGLE, 0.5),
        (MATCHING, [0, 1]),
        (MATCHING, [0, 1, 3]),
        (MATCHING, 1),
        (ORDERING, [0, 0, 1]),
        (ORDERING, [0, 1]),
        (SHORT, 1),
        (SINGLE, OwnWords("a", True)),
    ],
)
def test_what_cannot_be_marked_is_refused(question, given):
    with pytest.raises(ValueError, match=r"."):
        question.mark(given)
