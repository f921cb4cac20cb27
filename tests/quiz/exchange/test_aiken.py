"""Aiken: what it has is carried, and all that it has no place for is said."""

from __future__ import annotations

from tlcourse.course.model import Quiz
from tlcourse.quiz.exchange import aiken
from tlcourse.quiz.exchange.common import Given, changes
from tlcourse.quiz.kinds import Multiple, Single
from tlcourse.quiz.kinds.question import Option

COMMON = {"objective": "o", "section": "u#s"}


def test_questions_as_moodle_reads_them():
    text = "\ufeffWhat is frozen?\r\nA. The backbone,\r\n   whole\r\nB) The head\r\nANSWER: A\r\n\r\n"
    text += "Is it?\n\na) no\nb. yes\nAnswer: b\n"
    given = Given("quiz.txt", "o", "u#s", "See the lesson.")
    ((first, second),) = (quiz.questions for quiz in aiken.read(text, given))
    assert given.lost == []
    assert first.options == [
        Option("The backbone,\nwhole", "See the lesson.", True),
        Option("The head", "See the lesson."),
    ]
    assert (second.prompt, [o.correct for o in second.options]) == ("Is it?", [False, True])


def test_what_cannot_be_read_is_named_with_its_line():
    given = Given("quiz.txt", "o", "u#s", "r")
    text = "Read this.\n\nWhich?\nA. a\nB. b\nANSWER: C\n\nWhat?\nA. a\nB. b\n\nWhy?\nA. a\nB. b\nANSWER: A\n"
    ((question,),) = (quiz.questions for quiz in aiken.read(text, given))
    assert question.prompt == "Why?"
    assert given.lost == [
        "quiz.txt:1: `Read this.` is left out: it has no options and no answer",
        "quiz.txt:3: question `question-1` is left out: it has `C` as its answer, expected one of A, B",
        "quiz.txt:8: question `question-2` is left out: it has `` as its answer, expected one of A, B",
    ]


def test_what_it_cannot_say_is_said_and_the_rest_comes_back():
    single = Single(id="s", prompt="Which\none?", options=[Option("a", "ra"), Option("b", "rb", True)], **COMMON)
    several = Multiple(id="m", prompt="Which?", options=[Option("a", "ra", True), Option("b", "rb")], **COMMON)
    listed = Single(id="c", prompt="Which?", code="x = 1\n", options=single.options, **COMMON)
    quizzes = [Quiz("q", "Q", [single, several, listed])]
    assert aiken.write(quizzes) == "Which one?\nA. a\nB. b\nANSWER: B\n"
    assert changes(quizzes, aiken.changed) == [
        "1 single question without reasons, objectives, sections, difficulty and names.",
        "1 multiple question left out (only choices with one right answer can be said).",
        "1 single question left out (a listing cannot be said).",
    ]
