"""What is right, and what cannot be marked."""

from __future__ import annotations

import math

import pytest

from tlcourse.course.model import Option, Question
from tlcourse.quiz.marking import mark

COMMON = {"prompt": "?", "objective": "o", "section": "u#s"}
SINGLE = Question(
    id="s", type="single", options=[Option("a", "r"), Option("b", "r", correct=True), Option("c", "r")], **COMMON
)
MULTIPLE = Question(
    id="m",
    type="multiple",
    options=[Option("a", "r", correct=True), Option("b", "r"), Option("c", "r", correct=True)],
    **COMMON,
)
NUMERIC = Question(id="n", type="numeric", answer=0.3, tolerance=0.01, reason="r", **COMMON)


def test_a_single_choice_is_right_or_not():
    assert mark(SINGLE, 1).correct
    assert not mark(SINGLE, 0).correct
    assert mark(SINGLE, 0).expected == 1


def test_several_choices_need_all_that_are_right_and_no_other_in_any_order():
    assert mark(MULTIPLE, [2, 0]).correct
    assert not mark(MULTIPLE, [0]).correct
    assert not mark(MULTIPLE, [0, 1, 2]).correct
    assert mark(MULTIPLE, [0]).expected == [0, 2]


@pytest.mark.parametrize(("given", "correct"), [(0.3, True), (0.31, True), (0.29, True), (0.3101, False), (3, False)])
def test_a_number_is_right_within_its_tolerance_both_ends_included(given, correct):
    assert mark(NUMERIC, given).correct is correct


@pytest.mark.parametrize("given", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_is_wrong(given):
    assert not mark(NUMERIC, given).correct


@pytest.mark.parametrize(
    ("question", "given"),
    [(SINGLE, 3), (SINGLE, -1), (SINGLE, [0, 1]), (MULTIPLE, [0, 7]), (NUMERIC, [1]), (SINGLE, 0.5)],
)
def test_what_cannot_be_marked_is_refused(question, given):
    with pytest.raises(ValueError, match=r"option|number"):
        mark(question, given)
