"""An answer typed as one line, read into what can be marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlcourse.course.questions import LETTERS
from tlcourse.quiz.presenting import choices, shown_order

if TYPE_CHECKING:
    from tlcourse.course.model import Question
    from tlcourse.quiz.marking import Answer


def wanted(question: Question) -> str:
    """What a line must hold, in words."""
    letters = LETTERS[: len(choices(question))]
    if question.type == "numeric":
        return "a number"
    if question.type == "multiple":
        return f"letters of {letters}, such as {letters[:2]}"
    if question.type == "matching":
        example = letters[::-1][: len(question.pairs)]
        return f"{len(question.pairs)} letters of {letters}, one for each line from 1 on, such as {example}"
    if question.type == "ordering":
        return f"all letters of {letters} in the right order, such as {letters[::-1]}"
    if question.type == "short":
        return "your answer in one line"
    return f"one letter of {letters}"


def read_answer(question: Question, line: str) -> Answer:
    """The answer in a line; commas and spaces between letters do not count, and a decimal comma is a point.

    Raises:
        ValueError: the line holds no answer to this question; the message says what was expected.
    """
    text = line.strip().lower()
    if question.type == "numeric":
        try:
            return float(text.replace(",", ".").replace("−", "-"))
        except ValueError:
            raise ValueError(f"{line.strip()!r} is not a number.") from None
    typed = [letter for letter in text if not letter.isspace() and letter not in ",;"]
    order = shown_order(question)
    letters = LETTERS[: len(order)]
    count = {"matching": len(question.pairs), "ordering": len(order), "multiple": len(typed)}.get(question.type, 1)
    fits = typed and len(typed) == count and all(letter in letters for letter in typed)
    if not fits or (question.type == "ordering" and len(set(typed)) < count):
        raise ValueError(f"{line.strip()!r} is not an answer; expected {wanted(question)}.")
    indices = [order[letters.index(letter)] for letter in typed]
    if question.type == "multiple":
        return sorted(set(indices))
    return indices if question.type in ("matching", "ordering") else indices[0]
