"""After the answer: the reason of every option, pair, step or number, as facts that a screen or a line can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from tlcourse.course.questions import LETTERS
from tlcourse.quiz.presenting import letter_of, rights

if TYPE_CHECKING:
    from tlcourse.course.model import Question
    from tlcourse.quiz.marking import Answer


class Reason(Struct, frozen=True):
    """One thing that could be answered: its name, whether it is right, and why."""

    label: str
    right: bool
    text: str


def reasons(question: Question, given: Answer | None = None) -> list[Reason]:
    """One reason for each option, pair or step; a pair or step is `right` when it was given rightly."""
    if question.type == "numeric":
        tolerance = f" ± {question.tolerance:g}" if question.tolerance else ""
        return [Reason(f"{question.answer:.10g}{tolerance}", True, question.reason)]
    if question.type == "short":
        return [
            Reason("Model answer", True, question.answer_text.strip()),
            Reason("A good answer has", True, question.reason.strip()),
        ]
    if question.type == "matching":
        return _of_pairs(question, given)
    if question.type == "ordering":
        placed = given if isinstance(given, list) else []
        return [
            Reason(
                f"{place + 1}. {letter_of(question, place)})",
                placed[place : place + 1] == [place],
                f"{step.text.strip()}: {step.reason.strip()}",
            )
            for place, step in enumerate(question.steps)
        ]
    return [
        Reason(f"{LETTERS[index]})", option.correct, option.reason.strip())
        for index, option in enumerate(question.options)
    ]


def _of_pairs(question: Question, given: Answer | None) -> list[Reason]:
    sides = rights(question)
    placed = given if isinstance(given, list) else []
    found = []
    for row, pair in enumerate(question.pairs):
        index = sides.index(pair.right)
        belongs = f"{letter_of(question, index)}) {pair.right}"
        found.append(Reason(f"{row + 1}", placed[row : row + 1] == [index], f"{belongs}: {pair.reason.strip()}"))
    for option in question.options:
        label = f"{letter_of(question, sides.index(option.text))})"
        found.append(Reason(label, False, f"fits nothing. {option.reason.strip()}"))
    return found
