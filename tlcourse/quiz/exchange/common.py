"""What all formats share: the note beside a question, prompts with listings, and making questions of what was read."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import msgspec
from msgspec import Struct

from tlcourse.course.markdown import slug
from tlcourse.course.model import Quiz
from tlcourse.errors import ContentError
from tlcourse.quiz.kinds import KINDS, AnyQuestion, Question
from tlcourse.quiz.kinds.question import ImportedQuestion
from tlcourse.text import counted

_FENCED = re.compile(r"\A((?:(?!\n\n```\n).)*+)\n\n```\n(.*)```\Z", re.DOTALL)
_ENDS = re.compile(r"(?<![^a-z0-9])[^a-z0-9]+\Z")


class Given(Struct, frozen=True):
    """What the importer said about questions that do not say it themselves, and the name of the file."""

    name: str = "imported"
    objective: str = ""
    section: str = ""


def note_of(question: Question) -> dict[str, Any]:
    """What formats of other programs have no place for, and as which kind they get the question if not as its own."""
    note: dict[str, Any] = {
        "id": question.id,
        "type": question.type,
        "objective": question.objective,
        "section": question.section,
        "difficulty": question.difficulty,
    }
    if (form := question.exported().type) != question.type:
        note["as"] = form
    return note | question.note()


def changes(quizzes: list[Quiz], by_format: dict[str, str]) -> list[str]:
    """What the other program will do differently, in words; `by_format`: what its format cannot say, by kind."""
    counts: dict[tuple[str, str], int] = {}
    for quiz in quizzes:
        for question in quiz.questions:
            if what := question.changed_elsewhere or by_format.get(question.exported().type, ""):
                counts[question.type, what] = counts.get((question.type, what), 0) + 1
    return [f"{counted(count, f'{kind} question')} {what}." for (kind, what), count in counts.items()]


def with_listing(question: Question) -> str:
    """Prompt and code as one Markdown text."""
    if not question.code:
        return question.prompt
    return f"{question.prompt}\n\n```\n{question.code.rstrip()}\n```"


def without_listing(text: str) -> tuple[str, str]:
    """Prompt and code of `with_listing`."""
    found = _FENCED.match(text.strip())
    return (found[1], found[2]) if found else (text, "")


def make_quiz(name: str, title: str, imported: list[ImportedQuestion], given: Given) -> Quiz:
    """A quiz under a name that is an identifier. Raises ContentError that names everything that is missing."""
    problems: list[str] = []
    questions: list[AnyQuestion] = []
    for number, one in enumerate(imported, start=1):
        identifier = str(one.note.get("id") or _identifier(one.title) or f"question-{number}")
        if any(identifier == question.id for question in questions):
            identifier = f"{identifier[:50]}-{number}"
        where = f"{one.where}: question `{identifier}`"
        try:
            question: AnyQuestion = msgspec.convert(_fields(one, identifier, given), AnyQuestion)
        except msgspec.ValidationError as error:
            problems.append(f"{where} {_in_words(error)}")
            continue
        problems += [f"{where} {problem}" for problem in question.problems()]
        questions.append(question)
    if problems:
        raise ContentError(problems)
    return Quiz(id=_identifier(name) or "imported", title=clean(title) or name, questions=questions)


def _fields(imported: ImportedQuestion, identifier: str, given: Given) -> dict[str, Any]:
    prompt, imported.code = without_listing(clean(imported.prompt))
    imported.reason, imported.answer_text = clean(imported.reason), clean(imported.answer_text)
    fields: dict[str, Any] = {
        "id": identifier,
        "type": imported.kind,
        "prompt": prompt.strip(),
        "objective": imported.note.get("objective") or given.objective,
        "section": imported.note.get("section") or given.section,
        "difficulty": imported.note.get("difficulty", 1),
    }
    kind = KINDS.get(imported.kind)
    return fields | (kind.fields_of(imported) if kind else {})


def clean(text: str) -> str:
    """Text without control characters, such as terminal escapes; line ends become `\\n`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf"))
    return "".join(kept).strip()


def option(text: str, reason: str, correct: bool) -> dict[str, Any]:
    """An option of an imported question."""
    return {"text": clean(text), "reason": clean(reason), **({"correct": True} if correct else {})}


def _identifier(text: str) -> str:
    return _ENDS.sub("", slug(text)[:60])


def _in_words(error: msgspec.ValidationError) -> str:
    what, _, where = str(error).partition(" - at `")
    place = where.rstrip("`").removeprefix("$").lstrip(".")
    if "length >= 1" in what or (place == "objective" and "regex" in what) or what.endswith("got `None`"):
        wanted = {"objective": "--objective", "section": "--section"}.get(place)
        return f"has no {place or 'text'}, expected one" + (f" (or: {wanted})" if wanted else "")
    return f"cannot be read: {place or 'it'}: {what[0].lower()}{what[1:]}"
