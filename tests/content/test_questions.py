"""The bundled questions: all kinds are used, every objective is asked about, and where the answer stands is no hint."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from answers import right_answer

from tlcourse.course.checks import lost_places, pages_of
from tlcourse.course.coverage import coverage, uncovered
from tlcourse.course.lab import load_labs
from tlcourse.course.loader import load_course
from tlcourse.course.markdown import headings, slug
from tlcourse.quiz.kinds import KINDS
from tlcourse.quiz.kinds.bug import MOST_LINES
from tlcourse.quiz.kinds.cases import draw_case
from tlcourse.quiz.kinds.question import JUDGING

COURSE = load_course()
QUESTIONS = [question for quiz in COURSE.quizzes.values() for question in quiz.questions]
PREDICTIONS = [lab.prediction.options for lab in load_labs(COURSE.folder, [u.id for u in COURSE.about.units]).values()]


def test_every_kind_of_question_is_used():
    assert {question.type for question in QUESTIONS} == set(KINDS)


def test_identifiers_are_unique_over_the_whole_course():
    assert [name for name, count in Counter(question.id for question in QUESTIONS).items() if count > 1] == []


def test_every_objective_is_asked_about_at_least_twice():
    assert list(uncovered(COURSE)) == []
    assert [row.objective for row in coverage(COURSE) if row.questions < 2] == []


def test_each_question_has_its_section_and_each_exercise_its_lessons_and_labs():
    sections = {f"{name}#{slug(text)}" for name, one in COURSE.lessons.items() for _, text in headings(one.body)}
    assert [question.id for question in QUESTIONS if question.section not in sections] == []
    pages = pages_of(COURSE)
    for exercise in COURSE.exercises.values():
        text = (exercise.folder / "handout.md").read_text(encoding="utf-8")
        linked = set(re.findall(r"\]\(([^)\s]+)\)", text))
        assert linked <= sections | pages, exercise.about.id
        assert linked & sections, exercise.about.id
        assert any(link.startswith("lab/") for link in linked), exercise.about.id
        for rule in exercise.about.checks:
            assert set(rule.taught) & sections, (exercise.about.id, rule.id)
    assert list(lost_places(COURSE)) == []


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
    kinds = {kind: [q.options for q in QUESTIONS if q.type == kind] for kind in ("single", "multiple", "bug")}
    for kind, lists in (kinds | {"predictions": PREDICTIONS}).items():
        found, expected = Counter(), Counter()
        for options in lists:
            right = [place for place, option in enumerate(options) if option.correct]
            found.update(right)
            expected.update(dict.fromkeys(range(len(options)), len(right) / len(options)))
        away = sum((found[place] - count) ** 2 / count for place, count in expected.items())
        assert away < 9.5, (kind, dict(found), dict(expected))  # 9.5: once in 20 with 4 degrees of freedom


def test_the_longest_option_is_right_as_often_as_chance_has_it():
    """Neither more often, nor so rarely that the longest can be crossed out."""
    singles = [*PREDICTIONS, *(question.options for question in QUESTIONS if question.type == "single")]
    found = sum(max(options, key=lambda option: len(option.text)).correct for options in singles)
    chance = [1 / len(options) for options in singles]
    spread = sum(share * (1 - share) for share in chance) ** 0.5
    assert abs(found - sum(chance)) < 2 * spread, (found, sum(chance))


GIVING_AWAY = {
    "absolute words": r"\b(always|never|all|only|none|every|nothing|cannot|must|no|any)\b",
    "careful words": r"\b(can|may|might|some|usually|often)\b",
    "reasons within an option": r"(, (as|since|because|so) |\b(because|since)\b)",
}


@pytest.mark.parametrize("words", GIVING_AWAY)
def test_no_word_marks_an_option_as_right_or_wrong(words):
    choices = [*PREDICTIONS, *(q.options for q in QUESTIONS if q.type in ("single", "multiple"))]
    options = [option for options in choices for option in options]
    has = [bool(re.search(GIVING_AWAY[words], option.text, re.IGNORECASE)) for option in options]
    right = [found for found, option in zip(has, options, strict=True) if option.correct]
    wrong = [found for found, option in zip(has, options, strict=True) if not option.correct]
    share = (sum(has) + 1) / (len(has) + 2)
    spread = (share * (1 - share) * (1 / len(right) + 1 / len(wrong))) ** 0.5
    assert abs(sum(right) / len(right) - sum(wrong) / len(wrong)) < 2 * spread


def test_a_third_of_the_bank_asks_for_judgement_and_every_objective_does_somewhere():
    assert [question.id for question in QUESTIONS if question.level is None] == []
    assert sum(question.level in JUDGING for question in QUESTIONS) > len(QUESTIONS) / 3
    assert [row.objective for row in coverage(COURSE) if row.judging < 1] == []


def test_tables_fit_a_terminal_of_80_columns():
    tables = [question for question in QUESTIONS if question.code and question.type != "bug"]
    wide = {q.id: max(map(len, q.realise(1).code.splitlines())) for q in tables}
    assert {name: width for name, width in wide.items() if width > 72} == {}
    assert len(tables) >= 40


def test_a_table_is_said_to_be_measured_or_to_be_supposed():
    """Figures of this course stand in docs/results.md; what was made up for the exercise says "suppose"."""
    results = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    for question in QUESTIONS:
        if question.type in ("bug", "classify") or not re.search(r"\.\d\d|\d %", question.code):
            continue
        if "measured for this course" in question.prompt:
            missing = [number for number in re.findall(r"(?<!\d)\.\d{4}", question.code) if f"0{number}" not in results]
            assert missing == [], question.id
        else:
            assert re.search(r"\b[Ss]uppose|paper's table", question.prompt), question.id


def test_sentences_are_in_the_order_of_english():
    """Turns of phrase that native readers stumbled over, in what is asked and said."""
    odd = (
        r"\bWhich (percentage|share|probability|gradient)\b"
        r"|\b(What|Which \w+) (has|have) \w+ to\b|\bHow many [\w ]+ (has|have) (a|an|the)\b|\bby dice\b"
        r"|\b(behavior|colors?|modeling|labeled|(optim|normal|initial|general|quant|regular)iz\w+)\b"
    )
    for question in QUESTIONS:
        texts = [question.prompt, *(reason.text for reason in question.realise(1).reasons())]
        found = [match[0] for text in texts for match in re.finditer(odd, text)]
        assert found == [], (question.id, found)


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
