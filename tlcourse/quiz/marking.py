"""Whether an answer is right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from tlcourse.course.model import Question

Answer = int | float | list[int]
"""A choice's index, a number, or the indices of several choices."""


class Mark(Struct, frozen=True):
    """What an answer is worth, and what would have been right."""

    correct: bool
    expected: Answer


def mark(question: Question, answer: Answer) -> Mark:
    """Mark an answer: the index of an option (single), all right indices and no other (multiple), or a number.

    A number is right within the question's tolerance, and within the rounding of a binary fraction.

    Raises:
        ValueError: the answer is not of the question's type, or names no option.
    """
    if question.type == "numeric":
        if isinstance(answer, list | bool) or question.answer is None:
            raise ValueError(f"{answer!r} is not a number")
        slack = question.tolerance + 1e-9 * max(1.0, abs(question.answer))
        return Mark(math.isfinite(answer) and abs(answer - question.answer) <= slack, question.answer)
    right = [index for index, option in enumerate(question.options) if option.correct]
    chosen = answer if isinstance(answer, list) else [answer]
    if question.type == "single" and len(chosen) != 1:
        raise ValueError("one option is expected")
    if any(not isinstance(index, int) or not 0 <= index < len(question.options) for index in chosen):
        raise ValueError(f"{answer!r} names no option")
    return Mark(sorted(set(chosen)) == right, right[0] if question.type == "single" else right)
