"""Formulas are set from LaTeX or written in Unicode: no raw `$`, no command of TeX, no line too wide for 80 columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest
from rich.cells import cell_len

from tlcourse.course.checks import WIDTH
from tlcourse.course.exercise import explanation
from tlcourse.course.loader import load_course

_TEX = re.compile(r"\\[A-Za-z]{2,}|\$")


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the course that a student reads."""
    course = load_course()
    for unit, lesson in course.lessons.items():
        yield f"lesson {unit}", lesson.body
    for name, quiz in course.quizzes.items():
        for question in quiz.questions:
            for text in strings(msgspec.to_builtins(question)):
                yield f"question {name}/{question.id}", text
    for name, exercise in course.exercises.items():
        yield f"handout {name}", (exercise.folder / "handout.md").read_text(encoding="utf-8")
        yield f"hints {name}", "\n".join(exercise.hints)
        if exercise.explanation is not None:
            yield f"explanation {name}", explanation(exercise, passed=True).text


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def prose_of(text: str) -> str:
    """Without listings, figures, code marks, and formulas between dollars, which are set."""
    text = re.sub(r"(?ms)^```.*?^```|^ *\$\$.*?\$\$$", "", text)
    return re.sub(r"\$[^$\s][^$\n]*\$(?!\d)", "", re.sub(r"`[^`\n]*`", "", text))


@pytest.fixture(scope="module")
def course_texts() -> list[tuple[str, str]]:
    return list(texts())


def test_there_are_texts_of_every_kind(course_texts):
    kinds = {where.split()[0] for where, _ in course_texts}
    assert kinds == {"lesson", "question", "handout", "hints", "explanation"}


def test_no_text_shows_a_raw_dollar_or_a_command_of_tex(course_texts):
    assert [(where, _TEX.findall(prose_of(text))) for where, text in course_texts if _TEX.search(prose_of(text))] == []


def test_the_check_sees_what_it_looks_for():
    assert _TEX.search(prose_of("costs $5 more"))
    assert not _TEX.search(prose_of("the loss $x$ and\n$$\n\\alpha\n$$\n"))
    assert _TEX.search(prose_of("\\alpha and `code`"))
    assert not _TEX.search(prose_of("`$HOME` and\n```\n\\frac\n```\n"))


def test_no_formula_that_stands_as_it_is_written_is_wider_than_80_columns(course_texts):
    wide = []
    for where, text in course_texts:
        fenced = False
        for line in re.sub(r"(?ms)^```figure\n.*?^```$", "", text).splitlines():
            if line.startswith(("```", "~~~")):
                fenced = not fenced
            elif (fenced or line.startswith("    ")) and cell_len(line) > WIDTH and not where.startswith("question"):
                wide.append((where, line))
    assert wide == []
