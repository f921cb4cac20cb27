"""A quiz that goes to another program and comes back is the same quiz, and what was edited there stays edited."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcourse.course.loader import load_course
from tlcourse.course.model import Quiz
from tlcourse.errors import ContentError
from tlcourse.quiz.exchange import brightspace, documents, gift, qti12, qti21
from tlcourse.quiz.exchange.common import Given
from tlcourse.quiz.kinds import Matching, Multiple, Numeric, Ordering, Short, Single
from tlcourse.quiz.kinds.matching import Pair
from tlcourse.quiz.kinds.ordering import Step
from tlcourse.quiz.kinds.question import Option

BUNDLED = list(load_course().quizzes.values())
KINDS = list(load_course(Path(__file__).parent.parent.parent / "question_course").quizzes.values())
FORMATS = [gift, brightspace, documents, qti12, qti21]


def given_() -> Given:
    return Given("file", "o", "u#s")


COMMON = {"objective": "o", "section": "u#s"}


def source(written: str | bytes) -> Any:
    """What is written as it is read: a package is unpacked."""
    if isinstance(written, str):
        return written
    with zipfile.ZipFile(io.BytesIO(written)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def names(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


@pytest.mark.parametrize("module", FORMATS, ids=names)
@pytest.mark.parametrize("quizzes", [BUNDLED, KINDS], ids=["bundled", "every kind"])
def test_quizzes_come_back_whole(module, quizzes):
    assert module.read(source(module.write(quizzes)), given_()) == quizzes


# anything that a person could type, with all that the formats use as marks
TEXT = (
    st.text(st.sampled_from("ab {}=~#:\\->%\"',;/*$<&é−α\n1."), min_size=1, max_size=30)
    .map(str.strip)
    .filter(lambda text: text and "\n\n" not in text)
)


@pytest.mark.parametrize("module", FORMATS, ids=names)
@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(TEXT, min_size=9, max_size=9, unique_by=lambda text: " ".join(text.lower().split())), data=st.data()
)
def test_whatever_people_type_comes_back(module, texts, data):
    prompt, a, b, c, *reasons = texts
    quiz = Quiz(
        id="q",
        title="Q",
        questions=[
            Single(id="s", prompt=prompt, options=[Option(a, reasons[0], True), Option(b, reasons[1])], **COMMON),
            Multiple(id="m", prompt=prompt, options=[Option(a, reasons[2]), Option(b, reasons[3], True)], **COMMON),
            Numeric(id="n", prompt=prompt, answer=-2.5, tolerance=0.25, reason=reasons[4], **COMMON),
            Matching(
                id="p",
                prompt=prompt,
                pairs=[Pair(a, reasons[0], reasons[1]), Pair(b, reasons[2], reasons[3])],
                options=[Option(c, reasons[4])],
                **COMMON,
            ),
            Ordering(id="o", prompt=prompt, steps=[Step(t, reasons[0]) for t in (a, b, c)], **COMMON),
            Short(id="w", prompt=prompt, answer_text=a, reason=b, **COMMON),
        ],
    )
    assert module.read(source(module.write([quiz])), given_()) == [quiz]


@pytest.mark.parametrize("module", FORMATS, ids=names)
def test_what_was_edited_elsewhere_is_kept(module):
    def edited(text: str) -> str:
        return text.replace("Which number is even?", "Which one is even?").replace("twice two", "two twice")

    written = source(module.write(KINDS))
    if isinstance(written, str):
        (quiz,) = module.read(edited(written), given_())
    else:
        (quiz,) = module.read({name: edited(data.decode()).encode() for name, data in written.items()}, given_())
    assert quiz.questions[0].prompt == "Which one is even?"
    assert quiz.questions[0].options[1].reason == "Four is two twice."
    assert quiz.questions[1:] == KINDS[0].questions[1:]


@pytest.mark.parametrize("quiz", BUNDLED + KINDS, ids=lambda quiz: quiz.id)
def test_the_file_of_a_course_says_the_same(quiz):
    text = documents.write_yaml(quiz)
    assert msgspec.convert(yaml.safe_load(text), Quiz) == quiz


@pytest.mark.parametrize("module", FORMATS, ids=names)
@pytest.mark.parametrize(
    "text", ["", "\x00\x1b[31m", "{", "NewQuestion", "a" * 10_000, "[" * 5000, "::t::{=a", "//tlcourse,{"]
)
def test_what_is_no_quiz_is_an_error_with_its_line_or_nothing_at_all(module, text):
    given = text if module not in (qti12, qti21) else {"file": text.encode()}
    try:
        assert module.read(given, given_()) == []
    except ContentError as error:
        assert all(problem.startswith("file:") for problem in error.problems)


def test_terminal_escapes_of_a_foreign_file_do_not_get_into_a_course():
    (quiz,) = gift.read("::evil::Red \x1b[31mtext\x07? {=yes#be\u202ecause ~no#not}", given_())
    assert quiz.questions[0].prompt == "Red [31mtext?"
    assert quiz.questions[0].options[0].reason == "because"
