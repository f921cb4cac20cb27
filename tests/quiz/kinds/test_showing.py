"""What is shown of each kind: the sheet of a prompt, the lines of an answer, and the reasons after it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tlcourse.course.loader import load_course
from tlcourse.quiz.kinds import Single
from tlcourse.quiz.kinds.question import Line, Option, Reason
from tlcourse.quiz.kinds.visit_order import fixed_places, visit_order

QUIZ = load_course(Path(__file__).parent.parent.parent / "question_course").quizzes["kinds"]
QUESTIONS = {question.id: question for question in QUIZ.questions}
PAIRS, ORDER, LINE = QUESTIONS["pairs"], QUESTIONS["order"], QUESTIONS["line"]
LISTING = "x = 1\n\ny = x\n"

SHEETS = {
    "one": ["  a) three", "  b) four"],
    "many": ["  a) one", "  b) two", "  c) three"],
    "number": [],
    "pairs": ["  1  1", "  2  2", "  3  3", "  a) neither", "  b) odd", "  c) even"],
    "order": ["  a) small", "  b) large", "  c) middle"],
    "words": [],
    "line": ["       def add(a, b):", "    a)     total = a - b", "    b)     return total"],
}


@pytest.mark.parametrize("name", SHEETS)
def test_the_sheet_has_every_choice_with_its_letter(name):
    assert QUESTIONS[name].sheet() == SHEETS[name]


@pytest.mark.parametrize("name", sorted(SHEETS.keys() - {"line"}))
def test_a_listing_stands_before_the_choices_as_it_is(name):
    shown = msgspec.structs.replace(QUESTIONS[name], code=LISTING)
    assert shown.listing() == "x = 1\n\ny = x"
    assert shown.sheet() == ["    x = 1", "", "    y = x", *SHEETS[name]]


def test_the_listing_of_a_wrong_line_is_its_answer():
    assert LINE.listing() == ""
    spaced = msgspec.structs.replace(LINE, code="def add(a, b):\n\n    total = a - b\n    return total\n\n")
    assert spaced.sheet() == ["       def add(a, b):", "", "    a)     total = a - b", "    b)     return total"]


def test_matches_and_orders_are_not_shown_as_the_file_has_them():
    assert (PAIRS.shown_order(), ORDER.shown_order()) == ([2, 0, 1], [0, 2, 1])
    for number in range(50):
        for question in (PAIRS, ORDER):
            order = msgspec.structs.replace(question, id=f"q{number}").shown_order()
            assert order != [0, 1, 2]
            assert sorted(order) == [0, 1, 2]
    two = msgspec.structs.replace(PAIRS, pairs=PAIRS.pairs[:2], options=[])
    assert two.shown_order() == [1, 0]
    assert msgspec.structs.replace(two, pairs=PAIRS.pairs[:1]).shown_order() == [0]  # a problem, and still an end


def test_options_stand_anywhere_and_each_place_is_as_likely():
    options = [Option(text, "r", correct=text == "right") for text in ("right", "left", "up", "down")]
    question = Single(id="q", prompt="?", objective="o", section="u#s", options=options)
    places = Counter(question.realise(seed).right()[0] for seed in range(400))
    assert sorted(places) == [0, 1, 2, 3]
    assert sum((count - 100) ** 2 / 100 for count in places.values()) < 16.3  # chi squared, 3 degrees: 1 in 1000
    assert question.realise(5) == question.realise(5)
    assert {tuple(question.realise(seed).choices()) for seed in range(20)} != {
        tuple(msgspec.structs.replace(question, id="p").realise(seed).choices()) for seed in range(20)
    }


@pytest.mark.parametrize(
    ("texts", "fixed"),
    [
        (["red", "green", "blue"], []),
        (["red", "green", "all of these"], [2]),
        (["red", "None of the above", "green"], [1]),
        (["red", "green", "Both; they are colours"], [2]),
        (["Neither", "red", "green"], [0]),
        (["All pixels are red", "Both colours mix", "No colour"], []),
        (["2", "4", "8"], [0, 1, 2]),
        (["about 10 %", "about 1 %", "about 0.1 %"], [0, 1, 2]),
        (["2", "8", "4"], []),
        (["1,000 weights", "20,000 weights", "400,000 weights"], [0, 1, 2]),
        (["−1", "0", "+1"], [0, 1, 2]),
        (["1.2.3", "1.3", "2"], []),
        (["1", "1.0", "2"], []),
        (["2", "1.0", "1"], []),
    ],
)
def test_options_that_speak_of_others_or_count_keep_their_place(texts, fixed):
    assert fixed_places(texts) == set(fixed)
    orders = [visit_order(texts, "q", seed) for seed in range(20)]
    for order in orders:
        assert sorted(order) == [0, 1, 2]
        assert [order[place] for place in fixed] == fixed
    assert orders == [visit_order(texts, "q", seed) for seed in range(20)]  # a visit that is gone on with
    assert len({tuple(order) for order in orders}) == {0: 6, 1: 2, 3: 1}[len(fixed)]
    assert visit_order(texts, "q", 3, ordered=True) == [0, 1, 2]
    assert fixed_places(["1", "2"]) == set()  # two are always in some order


def test_options_whose_order_has_a_sense_stay_as_the_author_wrote_them():
    options = [Option(text, "r", correct=text == "never") for text in ("never", "sometimes", "always")]
    asked = Single(id="q", options=options, prompt="?", objective="o", section="u#s")
    kept = msgspec.structs.replace(asked, ordered=True)
    assert all(kept.realise(seed) == kept for seed in range(20))
    assert any(asked.realise(seed) != asked for seed in range(20))


def test_lines_of_a_listing_stay_and_steps_and_right_sides_move():
    assert LINE.realise(3) is LINE
    for question in (PAIRS, ORDER):
        assert len({tuple(question.realise(seed).shown_order()) for seed in range(1, 40)}) > 1
    assert all(ORDER.realise(seed).shown_order() != [0, 1, 2] for seed in range(40))


def test_letters_are_those_of_the_order_shown():
    assert [PAIRS.letter_of(index) for index in range(3)] == ["b", "c", "a"]
    assert [QUESTIONS["many"].letter_of(index) for index in range(3)] == ["a", "b", "c"]


def test_every_option_has_its_reason():
    assert QUESTIONS["one"].reasons(0) == [
        Reason("a)", False, "Three leaves one."),
        Reason("b)", True, "Four is twice two."),
    ]
    assert LINE.reasons() == [
        Reason("a)", True, "It subtracts."),
        Reason("b)", False, "It returns what was computed."),
    ]


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ([0, 1, 0], [True, True, True]),
        ([1, 0, 0], [False, False, True]),
        (None, [False] * 3),
        ([0], [True, False, False]),
    ],
)
def test_pairs_are_right_where_they_were_matched_rightly_and_what_fits_nothing_comes_last(given, right):
    assert PAIRS.reasons(given) == [
        Reason("1", right[0], "b) odd: One leaves one."),
        Reason("2", right[1], "c) even: Two leaves none."),
        Reason("3", right[2], "b) odd: Three leaves one as well."),
        Reason("a)", False, "fits nothing. Every whole number is one of the two."),
    ]


@pytest.mark.parametrize(
    ("given", "right"), [([0, 1, 2], [True] * 3), ([0, 2, 1], [True, False, False]), (None, [False] * 3)]
)
def test_steps_are_right_where_they_stand_rightly(given, right):
    assert ORDER.reasons(given) == [
        Reason("1. a)", right[0], "small: The smallest comes first."),
        Reason("2. c)", right[1], "middle: It is larger than small."),
        Reason("3. b)", right[2], "large: Nothing is larger."),
    ]


def test_a_number_and_a_model_answer_are_facts_and_not_choices():
    number = QUESTIONS["number"]
    assert number.reasons(7.0) == [Reason("0.5 ± 0.01", None, "One divided by two.")]
    exact = msgspec.structs.replace(number, answer=-1234567.891, tolerance=0.0)
    assert exact.reasons() == [Reason("-1234567.891", None, "One divided by two.")]
    assert QUESTIONS["words"].reasons() == [
        Reason("Model answer", None, "Because it is divisible by two."),
        Reason("A good answer has", None, "the word divisible, or something like it."),
    ]


def test_what_is_typed_has_no_lines_and_no_cursor():
    for name in ("number", "words"):
        typed = QUESTIONS[name].answer_input()
        typed.move(1)
        typed.letter(0)
        typed.space()
        typed.carry(1)
        assert (typed.count, typed.cursor, typed.lines(), typed.lines(1)) == (0, 0, [], [])
        with pytest.raises(ValueError, match=r"^Type an answer first\.$"):
            typed.answer()


def test_choices_show_what_was_taken_and_then_why():
    one, many = QUESTIONS["one"].answer_input(), QUESTIONS["many"].answer_input()
    assert one.lines() == [Line("( ) a)  three"), Line("( ) b)  four")]
    one.letter(1)
    assert one.lines(1) == [
        Line("( ) a)  three", reason=Reason("a)", False, "Three leaves one.")),
        Line("(•) b)  four", mine=True, reason=Reason("b)", True, "Four is twice two.")),
    ]
    many.letter(0)
    many.letter(2)
    assert [line.text for line in many.lines()] == ["[x] a)  one", "[ ] b)  two", "[x] c)  three"]
    assert [line.mine for line in many.lines()] == [True, False, True]


def test_the_lines_of_a_listing_are_code_of_which_some_can_be_chosen():
    given = LINE.answer_input()
    given.letter(0)
    assert given.lines(0) == [
        Line("       def add(a, b):", "code", selectable=False),
        Line("(•) a)     total = a - b", "code", mine=True, reason=Reason("a)", True, "It subtracts.")),
        Line("( ) b)     return total", "code", reason=Reason("b)", False, "It returns what was computed.")),
    ]


def test_left_sides_show_their_letters_and_right_sides_stand_below():
    given = PAIRS.answer_input()
    given.letter(1)
    legend = [Line(f"{text}", "legend", selectable=False) for text in ("a)  neither", "b)  odd", "c)  even")]
    assert given.lines() == [Line("[b] 1  1"), Line("[_] 2  2"), Line("[_] 3  3"), *legend]
    marked = given.lines([0, 0, 0])
    assert [line.reason.right for line in marked[:3]] == [True, False, True]
    why = Reason("a)", False, "fits nothing. Every whole number is one of the two.")
    assert [line.reason for line in marked[3:]] == [why, None, None]


def test_steps_show_their_place_their_letter_and_what_is_carried():
    given = ORDER.answer_input()
    given.space()
    assert [line.text for line in given.lines()] == ["≡ 1. a)  small", "  2. b)  large", "  3. c)  middle"]
    given.move(1)
    assert [line.text for line in given.lines()] == ["  1. b)  large", "≡ 2. a)  small", "  3. c)  middle"]
    given.space()
    given.move(1)
    assert (given.cursor, given.answer()) == (2, [2, 0, 1])
    assert given.lines([2, 1, 0]) == [
        Line("1. a)", reason=Reason("1. a)", False, "small: The smallest comes first.")),
        Line("2. c)", reason=Reason("2. c)", True, "middle: It is larger than small.")),
        Line("3. b)", reason=Reason("3. b)", False, "large: Nothing is larger.")),
    ]
