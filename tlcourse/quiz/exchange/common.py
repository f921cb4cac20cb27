"""What all formats share: the note beside a question, prompts with listings, and building a question from its parts."""

from __future__ import annotations

import re
import unicodedata
import zlib
from typing import Any

import msgspec
from msgspec import Struct

from tlcourse.course.markdown import slug
from tlcourse.course.model import Option, Pair, Question, Quiz, Step
from tlcourse.course.questions import problems_of_question
from tlcourse.errors import ContentError
from tlcourse.quiz.presenting import realise

_FENCED = re.compile(r"\A(.*?)\n\n```\n(.*?)```\Z", re.DOTALL)
_ENDS = re.compile(r"[^a-z0-9]+$")


class Given(Struct, frozen=True):
    """What the importer said about questions that do not say it themselves, and the name of the file."""

    name: str = "imported"
    objective: str = ""
    section: str = ""


class Draft(Struct):
    """A question as a file gives it; what it lacks may stand in its note."""

    where: str
    """Such as `quiz.gift:12`, for messages."""
    title: str = ""
    prompt: str = ""
    type: str = ""
    options: list[dict[str, Any]] = []
    pairs: list[dict[str, str]] = []
    steps: list[dict[str, str]] = []
    answer: float | None = None
    tolerance: float | None = None
    answer_text: str = ""
    reason: str = ""
    note: dict[str, Any] = {}


def note_of(question: Question) -> dict[str, Any]:
    """What formats of other programs have no place for."""
    note: dict[str, Any] = {
        "id": question.id,
        "type": question.type,
        "objective": question.objective,
        "section": question.section,
        "difficulty": question.difficulty,
    }
    if question.pairs or question.steps:
        note["reasons"] = {pair.left: pair.reason for pair in question.pairs} | {
            step.text: step.reason for step in question.steps
        }
    if question.type == "matching" and question.options:
        note["extras"] = {option.text: option.reason for option in question.options}
    if question.type == "classify":
        note["cases"] = question.cases
    if question.type == "short":
        note["reason"] = question.reason
    return note


def drawn(question: Question) -> Question:
    """The question with a case where it needs one: other programs cannot draw, so that they always ask the same."""
    return realise(question, zlib.crc32(question.id.encode()))


def with_listing(question: Question) -> str:
    """Prompt and code as one Markdown text."""
    if not question.code:
        return question.prompt
    return f"{question.prompt}\n\n```\n{question.code.rstrip()}\n```"


def without_listing(text: str) -> tuple[str, str]:
    """Prompt and code of `with_listing`."""
    found = _FENCED.match(text.strip())
    return (found[1], found[2]) if found else (text, "")


def build(drafts: list[Draft], given: Given) -> list[Question]:
    """Questions of one quiz. Raises ContentError that names everything that is missing."""
    problems: list[str] = []
    questions: list[Question] = []
    for number, draft in enumerate(drafts, start=1):
        name = str(draft.note.get("id") or _identifier(draft.title) or f"question-{number}")
        if any(name == question.id for question in questions):
            name = f"{name[:50]}-{number}"
        try:
            question = msgspec.convert(_fields(draft, name, given), Question)
        except msgspec.ValidationError as error:
            problems.append(f"{draft.where}: question `{name}`: {_plainly(error)}")
            continue
        problems += [f"{draft.where}: question `{name}` {problem}" for problem in problems_of_question(question)]
        questions.append(question)
    if problems:
        raise ContentError(problems)
    return questions


def make_quiz(name: str, title: str, drafts: list[Draft], given: Given) -> Quiz:
    """A quiz of drafts, under a name that is an identifier."""
    return Quiz(id=_identifier(name) or "imported", title=clean(title) or name, questions=build(drafts, given))


def _fields(draft: Draft, name: str, given: Given) -> dict[str, Any]:
    note = draft.note
    kind = note.get("type") or draft.type
    prompt, code = without_listing(clean(draft.prompt))
    fields: dict[str, Any] = {
        "id": name,
        "type": kind,
        "prompt": prompt.strip(),
        "objective": note.get("objective") or given.objective,
        "section": note.get("section") or given.section,
        "difficulty": note.get("difficulty", 1),
    }
    if kind == "classify":
        return fields | {"cases": note.get("cases", "")}
    if code:
        fields["code"] = code
    reasons = note.get("reasons", {})
    if kind == "matching":
        extras = note.get("extras", {})
        fields["pairs"] = [{"reason": reasons.get(pair["left"], ""), **pair} for pair in draft.pairs]
        fields["options"] = [{"reason": extras.get(option["text"], ""), **option} for option in draft.options]
    elif kind == "ordering":
        fields["steps"] = [{"reason": reasons.get(step["text"], ""), **step} for step in draft.steps]
    elif kind == "numeric":
        tolerance = note.get("tolerance", 0.0) if draft.tolerance is None else draft.tolerance
        fields |= {"answer": draft.answer, "tolerance": tolerance, "reason": clean(draft.reason)}
    elif kind == "short":
        fields |= {"answer_text": clean(draft.answer_text), "reason": note.get("reason") or clean(draft.reason)}
    else:
        fields["options"] = draft.options
    return fields


def clean(text: str) -> str:
    """Text without control characters, such as terminal escapes; line ends become `\\n`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf"))
    return "".join(kept).strip()


def option(text: str, reason: str, correct: bool) -> dict[str, Any]:
    """An option of a draft."""
    return {"text": clean(text), "reason": clean(reason), **({"correct": True} if correct else {})}


def as_dict(value: Quiz | Question | Option | Pair | Step) -> dict[str, Any]:
    """Plain values, those left out that are the model's defaults."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(value):
        item = getattr(value, field.name)
        default = field.default if field.default is not msgspec.NODEFAULT else None
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        if item == default and not field.required:
            continue
        found[field.name] = [as_dict(part) for part in item] if isinstance(item, list) else item
    return found


def _identifier(text: str) -> str:
    return _ENDS.sub("", slug(text)[:60])


def _plainly(error: msgspec.ValidationError) -> str:
    what, _, where = str(error).partition(" - at `")
    place = where.rstrip("`").removeprefix("$").lstrip(".")
    if "length >= 1" in what or (place == "objective" and "regex" in what):
        wanted = {"objective": "--objective", "section": "--section"}.get(place)
        return f"has no {place or 'text'}, expected one" + (f" (or: {wanted})" if wanted else "")
    return f"{place or 'it'}: {what}"
