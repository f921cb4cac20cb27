"""Answers to questions as they are asked: what is right, and which letters stand for it at this visit."""

from __future__ import annotations

from tlcourse.quiz.kinds.question import Answer, OwnWords, Question


def right_answer(question: Question) -> Answer:
    """What is marked right."""
    match question.type:
        case "numeric":
            return question.answer
        case "short":
            return OwnWords("mine", True)
        case "matching":
            return question.right()
        case "ordering":
            return list(range(len(question.steps)))
        case "multiple":
            return question.right()
        case _:
            return question.right()[0]


def letters(question: Question, answer: Answer) -> str:
    """The letters that stand for an answer."""
    return "".join(question.letter_of(index) for index in (answer if isinstance(answer, list) else [answer]))


def right_letters(question: Question) -> str:
    """The letters of what is right; of a choice these are also the keys."""
    return letters(question, right_answer(question))


def wrong_letter(question: Question) -> str:
    """The letter of the first option that is wrong."""
    return letters(question, next(n for n, option in enumerate(question.options) if not option.correct))
