"""Whether an answer is right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from tlcourse.quiz.presenting import rights

if TYPE_CHECKING:
    from tlcourse.course.model import Question


class OwnWords(Struct, frozen=True):
    """A short answer, and whether its author finds it right beside the model answer."""

    text: str
    right: bool


Answer = int | float | list[int] | OwnWords
"""A choice's index; a number; the indices of several choices, of the right side for each left one, or of steps in the
order given; a short answer. Indices count in the course's file, not on the screen."""


class Mark(Struct, frozen=True):
    """What an answer is worth, and what would have been right."""

    correct: bool
    expected: int | float | list[int] | str


def mark(question: Question, answer: Answer) -> Mark:
    """Mark an answer.

    A number is right within the question's tolerance, and within the rounding of a binary fraction. Several choices
    are right when all right ones and no other were taken; matches and orders, when every part is right.

    Raises:
        ValueError: the answer is not of the question's type, or names no option.
    """
    if question.type == "short":
        if not isinstance(answer, OwnWords):
            raise ValueError("a text with its author's mark is expected")
        return Mark(answer.right, question.answer_text)
    if isinstance(answer, OwnWords):
        raise ValueError("no text is expected")
    if question.type == "numeric":
        return _mark_number(question, answer)
    if question.type in ("matching", "ordering"):
        return _mark_sequence(question, answer)
    right = [index for index, option in enumerate(question.options) if option.correct]
    chosen = answer if isinstance(answer, list) else [answer]
    if question.type != "multiple" and len(chosen) != 1:
        raise ValueError("one option is expected")
    if any(not isinstance(index, int) or not 0 <= index < len(question.options) for index in chosen):
        raise ValueError(f"{answer!r} names no option")
    return Mark(sorted(set(chosen)) == right, right if question.type == "multiple" else right[0])


def kept(answer: Answer) -> Any:
    """The answer as the record keeps it: plain values that JSON has."""
    return msgspec.to_builtins(answer)


def _mark_number(question: Question, answer: float | list[int]) -> Mark:
    if isinstance(answer, list | bool) or question.answer is None:
        raise ValueError(f"{answer!r} is not a number")
    slack = question.tolerance + 1e-9 * max(1.0, abs(question.answer))
    return Mark(math.isfinite(answer) and abs(answer - question.answer) <= slack, question.answer)


def _mark_sequence(question: Question, answer: float | list[int]) -> Mark:
    if question.type == "matching":
        sides = rights(question)
        right = [sides.index(pair.right) for pair in question.pairs]
        known = len(sides)
    else:
        right = list(range(len(question.steps)))
        known = len(right)
    if not isinstance(answer, list) or len(answer) != len(right):
        raise ValueError(f"{len(right)} choices are expected")
    if any(not 0 <= index < known for index in answer):
        raise ValueError(f"{answer!r} names no choice")
    if question.type == "ordering" and sorted(answer) != right:
        raise ValueError("each step is expected once")
    return Mark(answer == right, right)
