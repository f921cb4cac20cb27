"""How a question is put: the letters of its choices, the order in which they are shown, and its listing."""

from __future__ import annotations

import random
from collections.abc import Sequence

from msgspec import structs

from tlcourse.course.model import Question
from tlcourse.course.questions import LETTERS
from tlcourse.quiz.cases import draw_case

KINDS = {
    "single": "one answer is right",
    "multiple": "several may be right",
    "numeric": "a number",
    "matching": "give each line its letter",
    "ordering": "put into the right order",
    "short": "in your own words",
    "classify": "one answer is right",
    "bug": "which line is wrong?",
}


def realise(question: Question, seed: int) -> Question:
    """The question as it is asked this time: a `classify` question gets a case, drawn from `seed`, and its options."""
    if question.type != "classify" or question.options:
        return question
    case = draw_case(question.cases, seed)
    return structs.replace(question, code=case.text, options=case.options)


def rights(question: Question) -> list[str]:
    """The right sides of a matching question, each once: those of the pairs, then those that fit nothing."""
    return list(dict.fromkeys([pair.right for pair in question.pairs] + [option.text for option in question.options]))


def choices(question: Question) -> list[str]:
    """What the letters stand for, in the order of the course's file; empty where there is nothing to choose."""
    if question.type == "matching":
        return rights(question)
    if question.type == "ordering":
        return [step.text for step in question.steps]
    return [option.text for option in question.options]


def shown_order(question: Question) -> list[int]:
    """Indices of `choices` in the order in which they are shown, the same at every visit.

    Authors write the right order and the right pairs down; options of other questions are shown as they stand.
    """
    order = list(range(len(choices(question))))
    if question.type not in ("matching", "ordering"):
        return order
    shuffled = order.copy()
    dice = random.Random(question.id)  # noqa: S311 - an order to look at, no secret
    while shuffled == order:
        dice.shuffle(shuffled)
    return shuffled


def letter_of(question: Question, index: int) -> str:
    """The letter by which a choice is called."""
    return LETTERS[shown_order(question).index(index)]


def listing(question: Question) -> list[str]:
    """The lines of the question's code; in a bug question each line that may be chosen has its letter before it."""
    lines = question.code.rstrip().splitlines()
    if question.type != "bug":
        return lines
    letters = {option.text.strip(): LETTERS[index] for index, option in enumerate(question.options)}
    return [f"{_gutter(letters.get(line.strip()))} {line}".rstrip() for line in lines]


def named(question: Question, indices: Sequence[int]) -> str:
    """Choices by their letters, such as `c a b`."""
    return " ".join(letter_of(question, index) for index in indices)


def _gutter(letter: str | None) -> str:
    return f"{letter})" if letter else "  "
