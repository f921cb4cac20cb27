"""The examples of docs/questions.md are questions that the course would take."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import yaml

from tlcourse.course.loader import load_course
from tlcourse.course.markdown import headings, slug
from tlcourse.quiz.kinds import KINDS, AnyQuestion

TEXT = (Path(__file__).parent.parent.parent / "docs" / "questions.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
EXAMPLES = msgspec.convert([question for block in BLOCKS for question in yaml.safe_load(block)], list[AnyQuestion])


def test_each_example_is_sound_and_names_what_is_there():
    course = load_course()
    objectives = {goal.id for unit in course.about.units for goal in unit.objectives}
    sections = {f"{unit}#{slug(text)}" for unit, lesson in course.lessons.items() for _, text in headings(lesson.body)}
    for question in EXAMPLES:
        assert list(question.problems()) == []
        assert question.objective in objectives
        assert question.section in sections


def test_every_kind_but_the_plainest_variant_has_an_example():
    assert {question.type for question in EXAMPLES} == set(KINDS) - {"multiple"}
