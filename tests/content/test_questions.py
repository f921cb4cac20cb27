"""The bundled questions: all kinds are used, every objective is asked about, and where the answer stands is no hint."""

from __future__ import annotations

import ast
from collections import Counter

from tlcourse.course.checks import coverage, uncovered
from tlcourse.course.loader import load_course
from tlcourse.quiz.kinds import KINDS
from tlcourse.quiz.kinds.bug import MOST_LINES
from tlcourse.quiz.kinds.cases import draw_case
from tlcourse.quiz.kinds.question import OwnWords

COURSE = load_course()
QUESTIONS = [question for quiz in COURSE.quizzes.values() for question in quiz.questions]


def right_answer(question):
    if question.type == "numeric":
        return question.answer
    if question.type == "short":
        return OwnWords("mine", True)
    if question.type == "matching":
        return [question.choices().index(pair.right) for pair in question.pairs]
    if question.type == "ordering":
        return list(range(len(question.steps)))
    right = [index for index, option in enumerate(question.options) if option.correct]
    return right if question.type == "multiple" else right[0]


def test_every_kind_of_question_is_used():
    assert {question.type for question in QUESTIONS} == set(KINDS)


def test_identifiers_are_unique_over_the_whole_course():
    assert [name for name, count in Counter(question.id for question in QUESTIONS).items() if count > 1] == []


def test_every_objective_is_asked_about_at_least_twice():
    assert list(uncovered(COURSE)) == []
    assert [row.objective for row in coverage(COURSE) if row.questions < 2] == []


def test_every_question_can_be_answered_rightly_and_gives_its_reasons():
    for plain in QUESTIONS:
        question = plain.realise(1)
        given = right_answer(question)
        assert question.mark(given).correct, question.id
        found = question.reasons(given)
        assert all(reason.text.strip() for reason in found), question.id
        assert len(question.answer_input().lines()) <= MOST_LINES, question.id


def test_the_place_of_the_right_option_is_no_hint():
    places = Counter(
        next(index for index, option in enumerate(question.options) if option.correct)
        for question in QUESTIONS
        if question.type == "single"
    )
    assert max(places.values()) < 0.4 * sum(places.values())


def test_the_longest_option_is_not_mostly_the_right_one():
    singles = [question for question in QUESTIONS if question.type == "single"]
    longest = sum(max(question.options, key=lambda option: len(option.text)).correct for question in singles)
    assert longest < 0.45 * len(singles)


def test_difficulties_are_mixed():
    shares = Counter(question.difficulty for question in QUESTIONS)
    assert set(shares) == {1, 2, 3}
    assert min(shares.values()) >= 10


def test_the_code_of_bug_questions_is_short_python():
    for question in QUESTIONS:
        if question.type == "bug":
            ast.parse(question.code)
            assert max(map(len, question.code.splitlines())) <= 90, question.id


def test_every_family_of_drawn_cases_is_used():
    families = {question.cases for question in QUESTIONS if question.type == "classify"}
    assert families == {"setting", "shift"}
    assert all(draw_case(family, 0).options for family in families)
