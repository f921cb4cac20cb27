"""The bundled questions: all kinds are used, every objective is asked about, and where the answer stands is no hint."""

from __future__ import annotations

import ast
from collections import Counter

from answers import right_answer

from tlcourse.course.checks import coverage, uncovered
from tlcourse.course.lab import load_labs
from tlcourse.course.loader import load_course
from tlcourse.quiz.kinds import KINDS
from tlcourse.quiz.kinds.bug import MOST_LINES
from tlcourse.quiz.kinds.cases import draw_case

COURSE = load_course()
QUESTIONS = [question for quiz in COURSE.quizzes.values() for question in quiz.questions]


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


def test_in_the_file_too_no_place_is_right_more_often_than_chance_allows():
    """Chi squared over the places, against what the numbers of options let expect."""
    labs = load_labs(COURSE.folder, [unit.id for unit in COURSE.about.units]).values()
    kinds = {kind: [q.options for q in QUESTIONS if q.type == kind] for kind in ("single", "multiple", "bug")}
    for kind, lists in (kinds | {"predictions": [lab.prediction.options for lab in labs]}).items():
        found, expected = Counter(), Counter()
        for options in lists:
            right = [place for place, option in enumerate(options) if option.correct]
            found.update(right)
            expected.update(dict.fromkeys(range(len(options)), len(right) / len(options)))
        away = sum((found[place] - count) ** 2 / count for place, count in expected.items())
        assert away < 9.5, (kind, dict(found), dict(expected))  # 9.5: once in 20 with 4 degrees of freedom


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
