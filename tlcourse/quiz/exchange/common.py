"""What all formats share: recognising one, the note beside a question, prompts with listings, making questions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from tlcourse.course.markdown import slug
from tlcourse.course.model import Quiz
from tlcourse.errors import ContentError, UsageError
from tlcourse.quiz.kinds import KINDS, AnyQuestion, Question
from tlcourse.quiz.kinds.question import ImportedQuestion
from tlcourse.text import counted, cut

_FENCED = re.compile(r"\A((?:(?!\n\n```\n).)*+)\n\n```\n(.*)```\Z", re.DOTALL)
_ENDS = re.compile(r"(?<![^a-z0-9])[^a-z0-9]+\Z")


class Given(Struct, frozen=True):
    """What the importer said about questions that do not say it themselves, the name of the file, and what it lost."""

    name: str = "imported"
    objective: str = ""
    section: str = ""
    reason: str = ""
    """For options, pairs and steps without one: many programs ask for none."""
    lost: list[str] = field(default_factory=list)
    """What could not be carried, each with file and line; `read` fills it."""


def note_of(question: Question) -> dict[str, Any]:
    """What formats of other programs have no place for, and as which kind they get the question if not as its own."""
    note: dict[str, Any] = {
        "id": question.id,
        "type": question.type,
        "objective": question.objective,
        "section": question.section,
        "difficulty": question.difficulty,
    }
    if question.level:
        note["level"] = question.level
    if (form := question.exported().type) != question.type:
        note["as"] = form
    return note | question.note()


def changes(quizzes: list[Quiz], by_format: Callable[[Question], str]) -> list[str]:
    """What the other program will do differently, in words; `by_format`: what its format cannot say of a question."""
    counts: dict[tuple[str, str], int] = {}
    for quiz in quizzes:
        for question in quiz.questions:
            said = filter(None, [question.changed_elsewhere, by_format(question.exported())])
            if what := ", and ".join(said):
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


def make_quizzes(found: list[tuple[str, str, list[ImportedQuestion]]], given: Given) -> list[Quiz]:
    """The quizzes of (name, title, questions), under names that are identifiers and differ.

    A question that lacks something, or that no kind of ours can ask, is left out and stands in `given.lost`. Raises
    ContentError that names all of them where no question remains.
    """
    quizzes: list[Quiz] = []
    for name, title, imported in found:
        identifier = first = _identifier(name) or "imported"
        for number in range(2, len(quizzes) + 2):
            if identifier not in {quiz.id for quiz in quizzes}:
                break
            identifier = f"{first[:56]}-{number}"
        if questions := _questions(imported, given):
            quizzes.append(Quiz(id=identifier, title=clean(title) or name, questions=questions))
    if not quizzes and any(imported for _, _, imported in found):
        raise ContentError(list(given.lost))
    return quizzes


def _questions(imported: list[ImportedQuestion], given: Given) -> list[AnyQuestion]:
    questions: list[AnyQuestion] = []
    for number, one in enumerate(imported, start=1):
        identifier = str(one.note.get("id") or _identifier(one.title) or f"question-{number}")
        if any(identifier == question.id for question in questions):
            identifier = f"{identifier[:50]}-{number}"
        where = f"{one.where}: question `{identifier}`"
        try:
            question: AnyQuestion = msgspec.convert(_fields(one, identifier, given), AnyQuestion)
        except msgspec.ValidationError as error:
            problems = one.problems or [_in_words(error)]
        else:
            problems = one.problems or list(question.problems())
        if problems:
            given.lost.extend(f"{where} is left out: it {problem}" for problem in problems)
            continue
        given.lost.extend(f"{where}: {what}" for what in one.lost)
        questions.append(question)
    return questions


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
        "level": imported.note.get("level"),
    }
    _give_reasons(imported, given)
    kind = KINDS.get(imported.kind)
    return fields | (kind.fields_of(imported) if kind else {})


def _give_reasons(imported: ImportedQuestion, given: Given) -> None:
    """Feedback on the whole question is the reason of what has none of its own; without it, what the importer said."""
    noted = {**imported.noted("reasons"), **imported.noted("extras")}
    each = [*imported.options, *imported.pairs, *imported.steps]
    lacking = [one for one in each if not (one.get("reason") or noted.get(str(one.get("left") or one.get("text"))))]
    if imported.reason and each and not lacking:
        imported.lost.append("the feedback on the whole question is left out, since each answer has its own")
    imported.reason = imported.reason or given.reason
    for one in lacking if imported.reason else ():
        one["reason"] = imported.reason


def clean(text: str) -> str:
    """Text without control characters, such as terminal escapes; line ends become `\\n`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf"))
    return "".join(kept).strip()


def option(text: str, reason: str, correct: bool) -> dict[str, Any]:
    """An option of an imported question."""
    return {"text": clean(text), "reason": clean(reason), **({"correct": True} if correct else {})}


def steps_of_places(imported: ImportedQuestion) -> None:
    """An order that was written as matches of places becomes one again."""
    if imported.form == "ordering" and not imported.steps:
        ordered = sorted(imported.pairs, key=lambda pair: int(pair["left"]) if pair["left"].isdecimal() else 0)
        imported.steps, imported.pairs = [{"text": pair["right"]} for pair in ordered], []


def weights(imported: ImportedQuestion, shares: list[float]) -> None:
    """Say of options, all of whose `shares` of the points are given in %, what is right, and what of it is lost.

    Here an option is right or wrong. Sets the type unless it is known: several are right together where none is
    worth everything alone.
    """
    whole = [share for share in shares if share >= 99.9]
    part = [share for share in shares if 0 < share < 99.9]
    if not imported.type:
        imported.type = "multiple" if not whole and part else "single"
    right = whole if imported.type == "single" else whole + part
    for option_, share in zip(imported.options, shares, strict=True):
        option_.pop("correct", None)
        if share in right:
            option_["correct"] = True
        elif share > 0:
            imported.lost.append(f"`{cut(str(option_['text']), 40)}` is worth {share:g} % there, and is wrong here")
    if imported.type == "single" and len(whole) > 1:
        imported.problems.append(f"has {len(whole)} options of which each alone is fully right, expected one")
    if imported.type == "multiple" and len({round(share, 1) for share in right}) > 1:
        worth = ", ".join(f"{share:g} %" for share in right)
        imported.lost.append(f"its right options are worth {worth} there, and must all be chosen here")


def _identifier(text: str) -> str:
    return _ENDS.sub("", slug(text)[:60])


def _in_words(error: msgspec.ValidationError) -> str:
    what, _, where = str(error).partition(" - at `")
    place = where.rstrip("`").removeprefix("$").lstrip(".")
    if "length >= 1" in what or (place == "objective" and "regex" in what) or what.endswith("got `None`"):
        wanted = {"objective": "--objective", "section": "--section", "reason": "--reason"}.get(
            place.rpartition(".")[2]
        )
        return f"has no {place or 'text'}, expected one" + (f" (or: {wanted})" if wanted else "")
    return f"cannot be read: {place or 'it'}: {what[0].lower()}{what[1:]}"


_MOST = 16 * 2**20
_FIRST = 200_000  # characters that are looked at
_NAMES = {"gift": "GIFT", "aiken": "Aiken", "brightspace": "Brightspace's CSV", "json": "a document of tlcourse"}
_LOOKS = {
    "json": re.compile(r"\"kind\": *+\"tlcourse-quizzes\""),
    "brightspace": re.compile(r"^\"?newquestion\"?[,;\t]", re.IGNORECASE | re.MULTILINE),
    "aiken": re.compile(r"^[ \t]*+ANSWER[ \t]*+:[ \t]*+[A-Za-z][.)]?[ \t\r]*$", re.MULTILINE),
    "gift": re.compile(r"^(::|\$CATEGORY:|// question:)|(?<!\\)\{[ \t\r\n]*+([=~#}]|T\b|F\b|TRUE|FALSE)", re.MULTILINE),
}


def read_source(path: Path, given: Given) -> str:
    """The text of a file in UTF-8 or UTF-16, or else in the code page of Western Windows, which is then said.

    Raises ContentError naming the file.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST + 1)
    except OSError as error:
        raise ContentError([f"{path}:1: cannot be read ({error.strerror}), expected a readable file"]) from None
    if len(data) > _MOST:
        raise ContentError([f"{path}:1: larger than {_MOST >> 20} MB, expected questions"])
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        given.lost.append(f"{given.name}:{line}: this is not UTF-8; read as Windows-1252, so look at its accents")
        return data.decode("cp1252", "replace")


def format_of(text: str) -> str:
    """The name of the format that a text looks like; "" where nothing says which."""
    return next((name for name, looks in _LOOKS.items() if looks.search(text[:_FIRST])), "")


def refuse_another(text: str, form: str, path: Path) -> None:
    """Raise UsageError where a text looks like another format, and not like `form`."""
    if (found := format_of(text)) and found != form and not _LOOKS[form].search(text[:_FIRST]):
        raise UsageError(
            f"{path} is {_NAMES[found]}, and was to be read as {_NAMES[form]}.",
            cause="the program that wrote it has several formats.",
            remedy=f"--format {found}",
        )
