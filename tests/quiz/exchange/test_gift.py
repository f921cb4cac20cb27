"""GIFT as other programs write it."""

from __future__ import annotations

import pytest

from tlcourse.errors import ContentError
from tlcourse.quiz.exchange import gift
from tlcourse.quiz.exchange.common import Given

GIVEN = Given("quiz.gift", "o", "u#s")


def one(text: str):
    (quiz,) = gift.read(text, GIVEN)
    (question,) = quiz.questions
    return question


def test_a_choice_with_feedback():
    question = one("// a comment\n::Q1:: What\\: 2+2? {\n  =4 # right, it is\n  ~5 # one too many\n}")
    assert (question.id, question.type, question.prompt) == ("q1", "single", "What: 2+2?")
    assert [(o.text, o.reason, o.correct) for o in question.options] == [
        ("4", "right, it is", True),
        ("5", "one too many", False),
    ]


def test_weights_make_several_right():
    question = one("Odd? {~%50%one#yes ~%50%three#yes ~%-100%two#no}")
    assert question.type == "multiple"
    assert [o.correct for o in question.options] == [True, True, False]


@pytest.mark.parametrize(
    ("body", "answer", "tolerance"),
    [("#1822:5#r", 1822, 5), ("#3.1..3.2#r", 3.15, 0.05), ("#=0.5:0.1#r", 0.5, 0.1), ("#-4#r", -4, 0)],
)
def test_numbers_in_all_their_forms(body, answer, tolerance):
    question = one(f"How many? {{{body}}}")
    assert question.type == "numeric"
    assert question.answer == pytest.approx(answer)
    assert question.tolerance == pytest.approx(tolerance)


def test_true_and_false_with_the_feedback_of_wrong_and_right():
    question = one("The sun rises in the east. {T#wrong, it does#right, it does}")
    assert [(o.text, o.correct, o.reason) for o in question.options] == [
        ("True", True, "right, it does"),
        ("False", False, "wrong, it does"),
    ]


def test_words_after_the_braces_become_a_gap():
    assert one("Grant is {=buried#r ~alive#r} in a tomb.").prompt == "Grant is _____ in a tomb."


def test_categories_are_quizzes():
    text = "$CATEGORY: top/First one\n\nA? {=a#r ~b#r}\n\n$CATEGORY: second\n\nB? {=a#r ~b#r}\n\nC? {=a#r ~b#r}"
    assert [(quiz.id, len(quiz.questions)) for quiz in gift.read(text, GIVEN)] == [("first-one", 1), ("second", 2)]


def test_what_lacks_a_reason_or_an_objective_is_named_with_its_line():
    with pytest.raises(ContentError) as caught:
        gift.read("A? {=a ~b#r}\n\nB? {=a#r ~b#r}", Given("quiz.gift", "", ""))
    first, second = caught.value.problems
    assert first.startswith("quiz.gift:1: ")
    assert second.startswith("quiz.gift:3: ")
    assert "--objective" in second


def test_a_match_needs_reasons_that_gift_has_no_place_for():
    with pytest.raises(ContentError, match="reason"):
        gift.read("Match. {=a -> 1 =b -> 2 =c -> 3}", GIVEN)
