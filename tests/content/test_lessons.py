"""The bundled lessons: each has what a unit must have, fits a terminal, and its listings do what they claim."""

from __future__ import annotations

import contextlib
import io
import re

import pytest

from tlcourse.course.checks import problems_of_lessons
from tlcourse.course.loader import load_course
from tlcourse.course.markdown import headings, minutes_of

COURSE = load_course()
LESSONS = sorted(COURSE.lessons)
UNITS = {unit.id: unit for unit in COURSE.about.units}
_DRAWN = re.compile(r"^```figure\n.*?^```$|^ *\$\$.*?\$\$$|\$[^$\n]+\$", re.DOTALL | re.MULTILINE)
"""Set and drawn by `tlcourse.presenting`, whose tests look at the width of figures and formulas."""
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def fences(body: str, language: str) -> list[str]:
    return [text for kind, text in _FENCE.findall(body) if kind == language]


def test_every_unit_of_the_course_is_written_and_asked_about():
    assert set(COURSE.lessons) == set(UNITS)
    assert all(unit.quizzes for unit in COURSE.about.units)
    assert sum(len(quiz.questions) for quiz in COURSE.quizzes.values()) >= 100


def test_no_lesson_is_too_wide_or_has_raw_formulas_or_broken_links():
    assert list(problems_of_lessons(COURSE)) == []


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_has_objectives_a_diagram_an_example_questions_and_references(name):
    lesson = COURSE.lessons[name]
    assert lesson.body.startswith("After this unit you can")
    assert fences(lesson.body, "text") or fences(lesson.body, "figure"), "no diagram"
    assert re.search(r"example", lesson.body), "no worked example"
    assert lesson.body.count("**Answer.**") >= 2
    assert "Check yourself" in [text for _, text in headings(lesson.body)]
    assert any(re.search(r"arXiv:\d{4}\.\d{4,5}|arXiv:cmp|doi:10\.", reference) for reference in lesson.references)


@pytest.mark.parametrize("name", LESSONS)
def test_a_diagram_is_followed_by_the_same_in_words(name):
    after = [
        rest.lstrip("\n") for rest in re.split(r"^```text\n.*?^```$", COURSE.lessons[name].body, flags=re.S | re.M)
    ]
    for rest in after[1:]:
        assert rest[:1].isalpha() or rest[:1] in "*'\"", f"after a diagram of {name} stands {rest[:40]!r}"


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_takes_the_minutes_it_says(name):
    lesson = COURSE.lessons[name]
    assert lesson.minutes == pytest.approx(minutes_of(lesson.body), abs=1)
    assert lesson.minutes <= 25


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_renders_within_80_columns(name):
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(width=80, file=io.StringIO(), force_terminal=False)
    console.print(Markdown(_DRAWN.sub("", COURSE.lessons[name].body)))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, shown.splitlines())) <= 82  # combining marks count twice in len
    assert "$" not in shown


@pytest.mark.parametrize("name", LESSONS)
def test_listings_are_python(name):
    for listing in fences(COURSE.lessons[name].body, "python"):
        compile(listing, name, "exec")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in LESSONS if fences(COURSE.lessons[name].body, "python")])
def test_listings_run_one_after_the_other_and_their_assertions_hold(name):
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile("\n".join(fences(COURSE.lessons[name].body, "python")), name, "exec"), {})
