"""A typed line becomes an answer, or a sentence that says what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlcourse.course.loader import load_course

QUIZ = load_course(Path(__file__).parent.parent.parent / "question_course").quizzes["kinds"]
QUESTIONS = {question.id: question for question in QUIZ.questions}
CASE = QUESTIONS["case"].realise(1)


@pytest.mark.parametrize(
    ("name", "line", "answer"),
    [
        ("one", " B ", 1),
        ("one", "a,", 0),
        ("many", "c, a", [0, 2]),
        ("many", "ca", [0, 2]),
        ("many", "c;c a", [0, 2]),
        ("number", "0,25", 0.25),
        ("number", " 1e3\n", 1000.0),
        ("number", "−3", -3.0),
        ("line", "a", 0),
    ],
)
def test_what_is_typed_is_read(name, line, answer):
    read = QUESTIONS[name].read(line)
    assert read == answer
    assert type(read) is type(answer)


@pytest.mark.parametrize("name", ["pairs", "order"])
@pytest.mark.parametrize("indices", [[0, 1, 2], [2, 0, 1]])
def test_letters_of_matches_and_orders_are_those_that_were_shown(name, indices):
    question = QUESTIONS[name]
    assert question.read("".join(question.letter_of(index) for index in indices)) == indices
    assert question.read(" , ".join(question.letter_of(index).upper() for index in indices)) == indices


def test_two_lines_of_a_match_may_have_one_letter():
    letters = [QUESTIONS["pairs"].letter_of(index) for index in (0, 1, 0)]
    assert QUESTIONS["pairs"].read("".join(letters)) == [0, 1, 0]


WANTED = {
    "one": "one letter of ab",
    "many": "letters of abc, such as ab",
    "number": "a number",
    "pairs": "3 letters of abc, one for each line from 1 on, such as cba",
    "order": "all letters of abc in the right order, such as cba",
    "words": "your answer in one line",
    "line": "one letter of ab",
}


@pytest.mark.parametrize("name", WANTED)
def test_every_kind_says_what_it_wants(name):
    assert QUESTIONS[name].wanted() == WANTED[name]
    assert CASE.wanted() == "one letter of abcd"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        *(("one", ""), ("one", " "), ("one", "ab"), ("one", "c"), ("one", "!"), ("line", "c")),
        *(("many", ""), ("many", "ad"), ("many", ",")),
        *(("pairs", "ab"), ("pairs", "abca"), ("pairs", "abd"), ("pairs", "")),
        *(("order", "aab"), ("order", "ab"), ("order", "abcc"), ("order", "abd")),
    ],
)
def test_what_is_not_an_answer_says_what_was_expected(name, line):
    with pytest.raises(ValueError) as refused:
        QUESTIONS[name].read(f" {line} ")
    assert str(refused.value) == f"{line.strip()!r} is not an answer; expected {WANTED[name]}."


@pytest.mark.parametrize("line", ["one", "", "1 2", "0,5,1"])
def test_what_is_not_a_number_is_said_to_be_none(line):
    with pytest.raises(ValueError) as refused:
        QUESTIONS["number"].read(f" {line} ")
    assert str(refused.value) == f"{line!r} is not a number."
