"""A question whose fields are all there may still be one that nobody can answer: each kind says what is wrong."""

from __future__ import annotations

import math

import pytest

from tlcourse.quiz.kinds import Bug, Classify, Matching, Multiple, Numeric, Ordering, Short, Single
from tlcourse.quiz.kinds.matching import Pair
from tlcourse.quiz.kinds.ordering import Step
from tlcourse.quiz.kinds.question import Option

COMMON = {"id": "q", "prompt": "?", "objective": "o", "section": "u#s"}


def options(*texts: str, right: str = "") -> list[Option]:
    return [Option(text, "r", correct=text in right.split()) for text in texts]


def pairs(*sides: str) -> list[Pair]:
    return [Pair(left, right, "r") for left, right in (side.split(":") for side in sides)]


def steps(*texts: str) -> list[Step]:
    return [Step(text, "r") for text in texts]


def bug(code: str, *lines: str) -> Bug:
    return Bug(code=code, options=options(*lines, right=lines[0]), **COMMON)


NINE = tuple("abcdefghi")
CODE = "a=1\nb=2\n"


@pytest.mark.parametrize(
    "question",
    [
        Single(options=options("a", "b", right="b"), **COMMON),
        Single(options=options(*NINE, right="a"), **COMMON),
        Multiple(options=options("a", "b", right="a b"), **COMMON),
        Numeric(answer=0, reason="r", **COMMON),
        Matching(pairs=pairs("a:x", "b:y"), **COMMON),
        Matching(pairs=pairs("a:x", "b:x"), options=options("y"), **COMMON),
        Matching(pairs=pairs(*(f"{n}:{n}" for n in NINE)), **COMMON),
        Ordering(steps=steps("a", "b", "c"), **COMMON),
        Short(answer_text="a", reason="r", **COMMON),
        Classify(cases="shift", **COMMON),
        bug(CODE, "b=2", "a=1"),
        bug("a=1\n" + "\n" * 22 + "b=2\n\n", "b=2", "a=1"),  # 24 lines, and what ends them
    ],
)
def test_sound_questions_have_no_problem(question):
    assert list(question.problems()) == []


@pytest.mark.parametrize(
    ("question", "problems"),
    [
        (Single(options=options("a", "b"), **COMMON), ["has 0 correct options, expected exactly 1"]),
        (Single(options=options("a", "b", right="a b"), **COMMON), ["has 2 correct options, expected exactly 1"]),
        (Single(options=options("a", right="a"), **COMMON), ["has 1 options, expected at least 2"]),
        (Single(options=options(*NINE, "j", right="a"), **COMMON), ["has 10 options, expected at most 9"]),
        (
            Single(options=options("A  few", "a few ", "c", right="c"), **COMMON),
            ["has two options with the same text, expected texts that differ"],
        ),
        (Multiple(options=options("a", "b"), **COMMON), ["has no correct option, expected at least 1"]),
        (Multiple(options=options("a", right="a"), **COMMON), ["has 1 options, expected at least 2"]),
        *(
            (question, ["has an `answer` or a `tolerance` that is not finite, expected finite numbers"])
            for question in (
                Numeric(answer=math.nan, reason="r", **COMMON),
                Numeric(answer=1, tolerance=math.inf, reason="r", **COMMON),
            )
        ),
        (Matching(pairs=pairs("a:x"), options=options("y"), **COMMON), ["has 1 pairs, expected at least 2"]),
        (
            Matching(pairs=pairs("a:x", "A:y"), **COMMON),
            ["has two pairs with the same text, expected texts that differ"],
        ),
        (Matching(pairs=pairs("a:x", "b:X"), **COMMON), ["has one right side only, expected at least 2"]),
        (
            Matching(pairs=pairs("a:x", "b:y"), options=options("X "), **COMMON),
            ["has two options with the same text, expected texts that differ"],
        ),
        (
            Matching(pairs=pairs("a:x", "b:y"), options=options("z", right="z"), **COMMON),
            ["has an option that is correct beside its pairs, expected only ones that fit nothing"],
        ),
        (
            Matching(pairs=pairs("1:1", "2:2"), options=options(*NINE[:8]), **COMMON),
            ["has more than 9 right sides, expected at most 9"],
        ),
        (Ordering(steps=steps("a", "b"), **COMMON), ["has 2 steps, expected at least 3"]),
        (
            Ordering(steps=steps("a", "b", "A"), **COMMON),
            ["has two steps with the same text, expected texts that differ"],
        ),
        (bug(CODE, "c=3", "a=1"), ["has the option `c=3`, expected one that is exactly one line of its code"]),
        (
            bug("a=1\na=1\nb=2", "a=1", "b=2"),
            ["has the option `a=1`, expected one that is exactly one line of its code"],
        ),
        (bug(CODE, "a=1"), ["has 1 options, expected at least 2"]),
        (bug("a=1\n" + "\n" * 23 + "b=2", "a=1", "b=2"), ["has 25 lines of code, expected at most 24"]),
        (
            bug("a=1\nb=\n", "a=1", "b="),
            ["has code that is not Python (line 2), expected a listing that could run"],
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_was_expected(question, problems):
    assert list(question.problems()) == problems
