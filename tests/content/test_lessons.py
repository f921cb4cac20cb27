"""The bundled lessons: each has what a unit must have, fits a terminal, and its listings do what they claim."""

from __future__ import annotations

import contextlib
import io
import re

import pytest

from tlcourse.course.checks import problems_of_lessons
from tlcourse.course.coverage import misplaced, slides
from tlcourse.course.lab import load_labs
from tlcourse.course.loader import load_course
from tlcourse.course.markdown import CHECK_S, WORDS_A_MINUTE, headings, minutes_of, words_of
from tlcourse.presenting.lesson import placed

COURSE = load_course()
LESSONS = sorted(COURSE.lessons)
UNITS = {unit.id: unit for unit in COURSE.about.units}
_DRAWN = re.compile(r"^```figure\n.*?^```$|^ *\$\$.*?\$\$$|\$[^$\n]+\$", re.DOTALL | re.MULTILINE)
"""Set and drawn by `tlcourse.presenting`, whose tests look at the width of figures and formulas."""
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def fences(body: str, language: str) -> list[str]:
    return [text for kind, text in _FENCE.findall(body) if kind == language]


def test_every_slide_of_the_lecture_is_taught_and_asked_about_or_practised():
    assert list(misplaced(COURSE)) == []
    assert len(slides(COURSE)) == 47
    taught = [topic for topic in slides(COURSE) if any("#" in place for place in topic.places)]
    assert [topic.slide for topic in slides(COURSE) if topic not in taught] == [
        "exercises: ants and bees, stars, quantiles"  # in their handouts
    ]
    assert [topic.slide for topic in taught if all("#" in place for place in topic.places)] == [
        "size of a group, and exceptions", "the size of the field",
    ]  # fmt: skip


ODD = (
    r"\bhow (?:many|much) [\w ]+ (?:has|have) (?:a|an|it|the)\b|\b(?:what|which \w+) (?:has|have) \w+ to\b"
    r"|\bdeserves the\b|\bgets the nearer\b|\bby dice\b|\bby its word\b|\bmay be had\b|\bmanagement of its own\b"
    r"|\bstands in (?:the \w+ week|your)\b|\bthe more, the nearer\b|\bworse to tell\b|\blets you predict, and then\b"
    r"|\b(?:behavior|colors?|modeling|labeled|favor\w*|analyz\w+|(?:optim|normal|initial|general|quant|regular)iz\w+)\b"
)
"""Turns of phrase that native readers stumbled over, mostly another language's word order; and American spelling."""


def test_sentences_are_in_the_order_of_english():
    found = []
    labs = load_labs(COURSE.folder, list(UNITS)).values()
    texts = {f"lesson {name}": lesson.body for name, lesson in COURSE.lessons.items()}
    texts |= {f"lab {lab.id}": " ".join([lab.claim, lab.prediction.prompt, lab.explanation]) for lab in labs}
    for exercise in COURSE.exercises.values():
        for path in sorted(exercise.folder.glob("*.md")):
            texts[f"{exercise.about.id} {path.name}"] = path.read_text(encoding="utf-8")
    for path in sorted(COURSE.folder.glob("write/*/*.md")):
        texts[f"{path.parent.name} {path.name}"] = path.read_text(encoding="utf-8")
    for where, text in texts.items():
        prose = re.sub(r"^```.*?^```|`[^`\n]*`|^\$\$.*?\$\$$", "", text, flags=re.DOTALL | re.MULTILINE)
        found += [(where, match[0]) for match in re.finditer(ODD, " ".join(prose.split()), re.IGNORECASE)]
    assert found == []


def test_every_lesson_adds_to_the_running_case_and_opens_its_labs():
    labs = load_labs(COURSE.folder, list(UNITS)).values()
    without = [name for name in LESSONS if "**The watch" not in COURSE.lessons[name].body]
    assert without == ["practicalities", "reading-list"]
    assert [lab.id for lab in labs if f"](lab/{lab.id})" not in COURSE.lessons[lab.unit].body] == []


def test_every_unit_of_the_course_is_written_and_asked_about():
    assert set(COURSE.lessons) == set(UNITS)
    assert all(unit.quizzes for unit in COURSE.about.units)
    assert sum(len(quiz.questions) for quiz in COURSE.quizzes.values()) >= 100


def test_every_lesson_asks_a_question_of_its_quizzes_below_a_section():
    for unit, lesson in COURSE.lessons.items():
        asked = placed(COURSE, unit, 0)
        assert asked, unit
        for name, one in asked.items():
            above = lesson.body.partition(f"(question/{name})")[0]
            right = [option.text for option in getattr(one.question, "options", []) if option.correct]
            assert not [text for text in right if " " in text and text in above], name


def test_no_lesson_is_too_wide_or_has_raw_formulas_or_broken_links():
    assert list(problems_of_lessons(COURSE)) == []


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_has_objectives_a_diagram_an_example_questions_and_references(name):
    lesson = COURSE.lessons[name]
    assert lesson.body.startswith("After this unit you can")
    assert fences(lesson.body, "figure"), "no figure"
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


def test_what_must_be_understood_counts_as_words_and_what_is_not_seen_does_not():
    assert words_of("Four words – of prose.\n") == 4
    assert words_of("```python\nloss = F.cross_entropy(model(x), y)\n```\n") == 7, "six names and an operator"
    assert words_of("$$\nL = \\frac{\\lambda}{2} \\text{CE}(y, p)\n$$\n") == 7
    assert words_of("| a | bee |\n|---|---|\n| 1 | 2 |\n") == 4
    assert words_of("```figure\nkind: flow\nalt: >-\n  read where nothing is drawn\ncaption: two words\n```\n") == 3
    asked = "word " * WORDS_A_MINUTE + "\n\n**Check.** Why?\n\n## Check yourself\n"
    assert minutes_of(asked) == 1 + 2 * CHECK_S // 60


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
