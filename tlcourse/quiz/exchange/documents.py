"""Our own documents, which say everything: JSON of several quizzes, and the YAML file that a course has for each."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tlcourse.course.model import Quiz
from tlcourse.errors import ContentError
from tlcourse.quiz.exchange.common import Given
from tlcourse.quiz.kinds import Question

KIND = "tlcourse-quizzes"


def changed(_: Question) -> str:
    """Nothing: these documents say everything of a question."""
    return ""


def write(quizzes: list[Quiz]) -> str:
    """One JSON document."""
    document = {"schema": 1, "kind": KIND, "quizzes": [_as_dict(quiz) for quiz in quizzes]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def read(text: str, given: Given) -> list[Quiz]:
    """The quizzes of such a document. Raises ContentError."""
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("kind") != KIND:
            raise ContentError([f"{given.name}:1: not a document of kind `{KIND}`, expected what `quiz export` writes"])
        quizzes = msgspec.convert(document.get("quizzes"), list[Quiz])
    except json.JSONDecodeError as error:
        raise ContentError([f"{given.name}:{error.lineno}: {error.msg}, expected JSON"]) from None
    except (msgspec.ValidationError, RecursionError) as error:
        raise ContentError([f"{given.name}:1: {error}, expected the fields of the course model"]) from None
    problems = [
        f"{given.name}:1: question `{question.id}` {problem}"
        for quiz in quizzes
        for question in quiz.questions
        for problem in question.problems()
    ]
    if problems:
        raise ContentError(problems)
    return quizzes


def write_yaml(quiz: Quiz) -> str:
    """The text of `quizzes/NAME.yaml`, laid out as people write it."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Listings as blocks, lists set in."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
            return super().increase_indent(flow, False)

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return yaml.dump(_as_dict(quiz), Dumper=Dumper, allow_unicode=True, sort_keys=False, width=118)


def _as_dict(quiz: Quiz) -> dict[str, Any]:
    """Plain values without those that are defaults; a question begins with its identifier."""
    questions = [{"id": question.id, **msgspec.to_builtins(question)} for question in quiz.questions]
    return {"id": quiz.id, "title": quiz.title, "questions": questions}
