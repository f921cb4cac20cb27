"""GIFT as other programs write it: what can be asked here is taken, and all that is lost on the way is named."""

from __future__ import annotations

import pytest

from tlcourse.errors import ContentError
from tlcourse.quiz.exchange import gift
from tlcourse.quiz.exchange.common import Given
from tlcourse.quiz.kinds.question import Option

GIVEN = Given("quiz.gift", "o", "u#s")


def one(text: str):
    question, lost = one_and_lost(text)
    assert lost == []
    return question


def one_and_lost(text: str):
    given = Given("quiz.gift", "o", "u#s")
    (quiz,) = gift.read(text, given)
    (question,) = quiz.questions
    return question, given.lost


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


def test_categories_of_one_name_in_different_places_are_two_quizzes_and_of_one_place_one():
    text = (
        "$CATEGORY: a/Default\n\nA? {T#r#r}\n\n$CATEGORY: b/Default\n\nB? {T#r#r}\n\n$CATEGORY: a/Default\n\nC? {T#r#r}"
    )
    assert [(quiz.id, len(quiz.questions)) for quiz in gift.read(text, GIVEN)] == [("default", 2), ("default-2", 1)]


def test_html_becomes_text_and_what_text_cannot_show_is_named():
    question, lost = one_and_lost(
        "// question: 101  name: Frozen\n"
        "::Frozen::[html]<p>Which is <b>frozen</b>\\: <code>a &lt; b</code>, x<sup>2</sup>?</p><ul><li>one</li></ul>"
        '<img src\\="@@PLUGINFILE@@/net.png" alt\\="a net">{\n'
        "\t=<p>The backbone</p>#<p>It keeps\n its weights.</p>\n\t~<p>The head</p>#[plain]<p> is a tag\n}"
    )
    assert question.prompt == "Which is frozen: `a < b`, x^2?\n\n- one\na net"
    assert question.options == [
        Option("The backbone", "It keeps its weights.", True),
        Option("The head", "<p> is a tag"),
    ]
    assert lost == [
        "quiz.gift:1: question `frozen`: left out of its HTML: bold letters",
        "quiz.gift:1: question `frozen`: left out of its HTML: the picture net.png",
    ]


def test_what_says_no_format_is_moodles_own_html_with_its_line_ends():
    assert one("Is 1 < 2, and\nx <y> z? {T#r#r}").prompt == "Is 1 < 2, and\nx <y> z?"
    assert one("Is<br>1 &lt; 2, and\ny? {T#r#r}").prompt == "Is\n1 < 2, and\ny?"
    assert one("[markdown]Is `a` *b* <p>? {T#r#r}").prompt == "Is `a` *b* <p>?"


def test_latex_keeps_its_backslashes():
    assert one("[html]<p>\\\\(\\\\theta \\= 1\\\\) and \\{x\\} or \\(y\\)?</p>{T#r#r}").prompt == (
        "\\(\\theta = 1\\) and {x} or \\(y\\)?"
    )


def test_half_credit_is_named_and_wrong_here():
    question, lost = one_and_lost("Which? {=right#r ~%50%nearly#n ~wrong#w}")
    assert (question.type, [o.text for o in question.options if o.correct]) == ("single", ["right"])
    assert lost == ["quiz.gift:1: question `question-1`: `nearly` is worth 50 % there, and is wrong here"]


def test_unequal_shares_of_several_right_options_are_named():
    question, lost = one_and_lost("Which? {~%70%a#r ~%30%b#n ~c#w}")
    assert (question.type, [o.text for o in question.options if o.correct]) == ("multiple", ["a", "b"])
    assert lost == [
        "quiz.gift:1: question `question-1`: its right options are worth 70 %, 30 % there, and must all be chosen here"
    ]


def test_of_several_numbers_the_one_that_is_fully_right_is_taken_with_its_own_reason():
    question, lost = one_and_lost("How many? {#\n=%100%12:0.5#right\n=%50%12:2#close\n}")
    assert (question.answer, question.tolerance, question.reason) == (12, 0.5, "right")
    assert lost == ["quiz.gift:1: question `question-1`: the answer 12:2 is worth 50 % there, and is wrong here"]


def test_answers_in_words_are_joined_and_a_half_right_one_is_named():
    question, lost = one_and_lost("[moodle]Name it{\n=%100%DANN#yes\n=%50%dann net#half\n=Dann#so}")
    assert (question.answer_text, question.reason) == ("DANN or Dann", "yes")
    assert lost == ["quiz.gift:1: question `question-1`: the answer `dann net` is worth 50 % there, and is left out"]


def test_feedback_on_the_whole_question_is_the_reason_where_an_answer_has_none():
    question = one("Which? {=a#because ~b####In general.}")
    assert [o.reason for o in question.options] == ["because", "In general."]


def test_identifiers_of_moodle_are_kept_and_tags_named():
    question, lost = one_and_lost("// [id:q-110] [tag:tl]\n::A title::What? {T#r#r}")
    assert question.id == "q-110"
    assert lost == ["quiz.gift:1: question `q-110`: the tag `tl` is left out"]


def test_what_asks_nothing_or_asks_what_no_kind_asks_is_named_and_the_rest_is_taken():
    text = "::Intro::Read this first.\n\nA? {T#r#r}\n\nB? {=a#r =b#r ~c#r}\n\nC? {#=1#r =2#r}\n\nD? {x =a#r ~b#r}"
    _, lost = one_and_lost(text)
    assert lost == [
        "quiz.gift:1: Intro is left out: a description, which asks nothing",
        "quiz.gift:5: question `question-2` is left out: "
        "it has 2 options of which each alone is fully right, expected one",
        "quiz.gift:7: question `question-3` is left out: it has 2 numbers that are fully right, expected one",
        "quiz.gift:9: question `question-4` is left out: it has `x` before its first answer, expected = or ~",
    ]


def test_what_lacks_a_reason_or_an_objective_is_named_with_its_line():
    with pytest.raises(ContentError) as caught:
        gift.read("A? {=a ~b#r}\n\nB? {=a#r ~b#r}", Given("quiz.gift", "", ""))
    first, second = caught.value.problems
    assert first.startswith("quiz.gift:1: ")
    assert second.startswith("quiz.gift:3: ")
    assert "--objective" in second


def test_a_match_needs_reasons_that_gift_has_no_place_for():
    text = "[html]Match.{=<p>a</p> -> 1 =b -> 2 = -> 3}"
    with pytest.raises(ContentError, match=r"reason, expected one .or: --reason"):
        gift.read(text, Given("quiz.gift", "o", "u#s"))
    ((question,),) = (quiz.questions for quiz in gift.read(text, Given("quiz.gift", "o", "u#s", "See the lesson.")))
    assert [(p.left, p.right, p.reason) for p in question.pairs] == [
        ("a", "1", "See the lesson."),
        ("b", "2", "See the lesson."),
    ]
    assert [o.text for o in question.options] == ["3"]
