"""What is right, and what cannot be marked."""

from __future__ import annotations

import math

import pytest

from tlcourse.quiz.kinds import Bug, Classify, Matching, Multiple, Numeric, Ordering, Short, Single
from tlcourse.quiz.kinds.matching import Pair
from tlcourse.quiz.kinds.ordering import Step
from tlcourse.quiz.kinds.question import Mark, Option, OwnWords

COMMON = {"prompt": "?", "objective": "o", "section": "u#s"}
SINGLE = Single(id="s", options=[Option("a", "r"), Option("b", "r", correct=True), Option("c", "r")], **COMMON)
MULTIPLE = Multiple(
    id="m",
    options=[Option("a", "r", correct=True), Option("b", "r"), Option("c", "r", correct=True)],
    **COMMON,
)
NUMERIC = Numeric(id="n", answer=0.3, tolerance=0.01, reason="r", **COMMON)
ONE = Numeric(id="n", answer=1, reason="r", **COMMON)

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


@pytest.mark.parametrize(("given", "correct"), [(0, False), (1, True), (2, False)])
def test_a_single_choice_is_right_or_not(given, correct):
    assert SINGLE.mark(given) == Mark(correct, 1)


@pytest.mark.parametrize(
    ("given", "correct"),
    [
        ([0, 2], True),
        ([2, 0], True),
        ([0, 0, 2], True),  # named twice is named
        ([0], False),
        ([2], False),
        ([0, 0], False),
        ([0, 1, 2], False),
        ([1], False),
        ([], False),
    ],
)
def test_several_choices_need_all_that_are_right_and_no_other_in_any_order(given, correct):
    assert MULTIPLE.mark(given) == Mark(correct, [0, 2])


@pytest.mark.parametrize(
    ("given", "correct"), [(0.3, True), (0.31, True), (0.29, True), (0.3101, False), (0.2899, False), (3, False)]
)
def test_a_number_is_right_within_its_tolerance_both_ends_included(given, correct):
    assert NUMERIC.mark(given) == Mark(correct, 0.3)


@pytest.mark.parametrize(
    ("answer", "given", "correct"),
    [
        (0.3, 0.1 + 0.2, True),  # what binary fractions make of it
        (1, 1, True),
        (-1, 1, False),
        (0, 1e-9, True),  # below one, a billionth
        (0, 1.1e-9, False),
        (0.5, 0.5 + 1e-9, True),
        (0.5, 0.5 + 1.1e-9, False),
        (1e12, 1e12 + 999, True),  # above one, a billionth of it
        (1e12, 1e12 + 1001, False),
        (-1e12, -1e12 - 999, True),
        (-1e12, -1e12 - 1001, False),
    ],
)
def test_without_a_tolerance_a_number_may_differ_by_a_billionth(answer, given, correct):
    assert Numeric(id="n", answer=answer, reason="r", **COMMON).mark(given) == Mark(correct, answer)


@pytest.mark.parametrize("given", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_finite_number_is_wrong(given):
    assert not NUMERIC.mark(given).correct


@pytest.mark.parametrize(
    ("given", "correct"), [([0, 1, 0], True), ([0, 1, 2], False), ([2, 2, 2], False), ([0, 0, 0], False)]
)
def test_two_left_sides_may_have_the_same_right_side_and_every_match_counts(given, correct):
    assert MATCHING.mark(given) == Mark(correct, [0, 1, 0])


@pytest.mark.parametrize(("given", "correct"), [([0, 1, 2], True), ([0, 2, 1], False), ([2, 1, 0], False)])
def test_an_order_is_right_as_a_whole(given, correct):
    assert ORDERING.mark(given) == Mark(correct, [0, 1, 2])


@pytest.mark.parametrize("right", [True, False])
def test_a_short_answer_is_marked_by_its_author_beside_the_model_answer(right):
    assert SHORT.mark(OwnWords("mine", right)) == Mark(right, "model")


def test_a_line_of_code_is_a_single_choice():
    assert BUG.mark(1) == Mark(True, 1)
    assert BUG.mark(0) == Mark(False, 1)


def test_a_drawn_case_is_marked_as_the_choice_that_it_is_asked_as():
    asked = Classify(id="c", cases="shift", difficulty=2, **COMMON).realise(3)
    (right,) = asked.right()
    assert [asked.mark(index).correct for index in range(4)] == [index == right for index in range(4)]
    assert (asked.id, asked.prompt, asked.objective, asked.section, asked.difficulty) == ("c", "?", "o", "u#s", 2)


@pytest.mark.parametrize(
    ("question", "given", "said"),
    [
        (SINGLE, 3, "3 does not name an option"),
        (SINGLE, -1, "-1 does not name an option"),
        (SINGLE, [1], "[1] does not name an option"),
        (SINGLE, 1.0, "1.0 does not name an option"),
        (SINGLE, True, "True does not name an option"),  # True is not the index 1
        (SINGLE, OwnWords("a", True), "OwnWords(text='a', right=True) does not name an option"),
        (BUG, 2, "2 does not name an option"),
        (MULTIPLE, [0, 3], "[0, 3] does not name options"),
        (MULTIPLE, [-1, 0], "[-1, 0] does not name options"),
        (MULTIPLE, [0, True], "[0, True] does not name options"),
        (MULTIPLE, 0, "0 does not name options"),
        (NUMERIC, [1], "[1] is not a number"),
        (ONE, True, "True is not a number"),  # True is not the number 1
        (NUMERIC, OwnWords("1", True), "OwnWords(text='1', right=True) is not a number"),
        (MATCHING, [0, 1], "3 choices are expected"),
        (MATCHING, [0, 1, 0, 1], "3 choices are expected"),
        (MATCHING, 1, "3 choices are expected"),
        (MATCHING, [0, 1, 3], "[0, 1, 3] does not name 3 choices"),
        (MATCHING, [0, 1, -1], "[0, 1, -1] does not name 3 choices"),
        (MATCHING, [0, True, 0], "[0, True, 0] does not name 3 choices"),
        (ORDERING, [0, 0, 1], "each step is expected once"),
        (ORDERING, [0, 1], "3 choices are expected"),
        (ORDERING, [0, 1, 3], "[0, 1, 3] does not name 3 choices"),
        (ORDERING, OwnWords("012", True), "3 choices are expected"),
        (SHORT, 1, "a text with its author's mark is expected"),
    ],
)
def test_what_cannot_be_marked_is_refused(question, given, said):
    with pytest.raises(ValueError) as refused:
        question.mark(given)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("question", "given", "kept"),
    [
        (SINGLE, 1, SINGLE.options[1].text),
        (MULTIPLE, [0, 2], [MULTIPLE.options[0].text, MULTIPLE.options[2].text]),
        (BUG, 1, BUG.options[1].text),
        (NUMERIC, 0.5, 0.5),
        (SHORT, OwnWords("x", False), {"text": "x", "right": False}),
        (ORDERING, [2, 0, 1], [ORDERING.steps[n].text for n in (2, 0, 1)]),
        (
            MATCHING,
            [1, 0, 1],
            {pair.left: MATCHING.choices()[n] for pair, n in zip(MATCHING.pairs, (1, 0, 1), strict=True)},
        ),
    ],
)
def test_the_record_names_what_was_chosen_by_its_text_whatever_letter_it_had(question, given, kept):
    assert question.named(given) == kept
    for seed in range(5):
        asked = question.realise(seed)
        if isinstance(asked, Single | Multiple):
            places = [asked.choices().index(text) for text in (kept if isinstance(kept, list) else [kept])]
            assert asked.named(places if isinstance(kept, list) else places[0]) == kept
            assert asked.mark(asked.right() if isinstance(kept, list) else asked.right()[0]).correct


def test_a_line_that_was_no_answer_names_nothing():
    assert MATCHING.named("a line") == {}
    assert ORDERING.named("a line") == []
