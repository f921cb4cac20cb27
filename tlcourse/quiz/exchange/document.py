"""JSON: everything that the course model has, as one document."""

from __future__ import annotations

import json

import msgspec

from tlcourse.course.model import Quiz
from tlcourse.course.questions import problems_of_question
from tlcourse.errors import ContentError
from tlcourse.quiz.exchange.common import Given, as_dict

KIND = "tlcourse-quizzes"


def write(quizzes: list[Quiz]) -> str:
    """One JSON document."""
    document = {"schema": 1, "kind": KIND, "quizzes": [as_dict(quiz) for quiz in quizzes]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def read(text: str, given: Given) -> list[Quiz]:
    """The quizzes of such a document. Raises ContentError."""
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("kind") != KIND:
            raise ContentError([f"{given.name}:1: no document of kind `{KIND}`, expected what `quiz export` writes"])
        quizzes = msgspec.convert(document.get("quizzes"), list[Quiz])
    except json.JSONDecodeError as error:
        raise ContentError([f"{given.name}:{error.lineno}: {error.msg}, expected JSON"]) from None
    except (msgspec.ValidationError, RecursionError) as error:
        raise ContentError([f"{given.name}:1: {error}, expected the fields of the course model"]) from None
    problems = [
        f"{given.name}:1: question `{question.id}` {problem}"
        for quiz in quizzes
        for question in quiz.questions
        for problem in problems_of_question(question)
    ]
    if problems:
        raise ContentError(problems)
    return quizzes
