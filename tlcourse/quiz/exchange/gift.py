"""GIFT, the text format of Moodle (docs.moodle.org, "GIFT format").

Matches, numbers, choices and own words have a form of their own there. An order becomes a match of places, a drawn case
a choice with one case. GIFT allows no blank line within a question; line ends inside texts are written as `\\n`.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator

from tlcourse.course.model import Quiz
from tlcourse.errors import ContentError
from tlcourse.quiz.exchange.common import Given, clean, make_quiz, note_of, option, with_listing
from tlcourse.quiz.kinds import Matching, Multiple, Numeric, Ordering, Question, Short
from tlcourse.quiz.kinds.question import ImportedQuestion
from tlcourse.quiz.kinds.single import Choice

CHANGED = {"ordering": "become matches of places"}
"""What GIFT cannot say, by kind."""

_SPECIAL = "\\~=#{}:"
_NOTE = "// tlcourse: "
_QUIZ = "// tlcourse quiz: "
_FORMAT = re.compile(r"^\[(html|moodle|plain|markdown)\]\s*")
_WEIGHT = re.compile(r"^%(-?\d+(?:\.\d*)?)%")
_TRUTH = re.compile(r"^(T|TRUE|F|FALSE)\Z", re.IGNORECASE)


# -- writing -------------------------------------------------------------------------------------------------------


def write(quizzes: list[Quiz]) -> str:
    """All questions, each quiz a category."""
    parts = []
    for quiz in quizzes:
        parts.append(f"{_QUIZ}{json.dumps({'id': quiz.id, 'title': quiz.title}, ensure_ascii=False)}")
        parts.append(f"$CATEGORY: {quiz.id}")
        parts += [_question(question) for question in quiz.questions]
    return "\n\n".join(parts) + "\n"


def _question(question: Question) -> str:
    shown = question.exported()
    kind = "[markdown]" if shown.code else "[plain]"
    head = f"{_NOTE}{json.dumps(note_of(question), ensure_ascii=False)}\n"
    return f"{head}::{_escaped(question.id)}::{kind}{_escaped(with_listing(shown))} {_answers(shown)}"


def _answers(question: Question) -> str:
    """The braces, by the form of the answer: GIFT has one for each of these kinds."""
    match question:
        case Numeric():
            number = f"{question.answer:.12g}:{question.tolerance:.12g}"
            return f"{{#\n={number}#{_escaped(question.reason)}\n}}"
        case Short():
            return f"{{####{_escaped(question.answer_text)}}}"
        case Matching():
            rows = [f"={_escaped(pair.left)} -> {_escaped(pair.right)}" for pair in question.pairs]
            rows += [f"= -> {_escaped(extra.text)}" for extra in question.options]
        case Ordering():
            rows = [f"={place} -> {_escaped(step.text)}" for place, step in enumerate(question.steps, start=1)]
        case Choice():
            rows = _choices(question)
        case _:
            raise NotImplementedError(f"`exported` of {question.type} gives no kind that other programs know")
    return "{\n" + "\n".join(rows) + "\n}"


def _choices(question: Choice) -> list[str]:
    share = f"~%{100 / len(question.right()):.5g}%" if question.right() else "~"
    marks = {True: share, False: "~%-100%"} if isinstance(question, Multiple) else {True: "=", False: "~"}
    return [f"{marks[choice.correct]}{_escaped(choice.text)}#{_escaped(choice.reason)}" for choice in question.options]


def _escaped(text: str) -> str:
    escaped = "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)
    return escaped.replace("->", "-\\>").replace("\n", "\\n")


# -- reading -------------------------------------------------------------------------------------------------------


def read(text: str, given: Given) -> list[Quiz]:
    """Quizzes by category; raises ContentError naming file and line of what cannot be read or lacks a reason."""
    quizzes: list[tuple[str, str, list[ImportedQuestion]]] = []
    title: dict[str, str] = {}
    for line, block in _blocks(text):
        note, lines = _note(block, title, f"{given.name}:{line}")
        body = "\n".join(lines).strip()
        if body.startswith("$CATEGORY:"):
            name = body.removeprefix("$CATEGORY:").strip().rsplit("/", 1)[-1]
            quizzes.append((name, title.get(name, name), []))
        elif body:
            if not quizzes:
                quizzes.append((given.name.rsplit(".", 1)[0], "", []))
            quizzes[-1][2].append(_imported(body, note, f"{given.name}:{line}"))
    return [make_quiz(name, title, imported, given) for name, title, imported in quizzes if imported]


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """(first line, lines) of each part between blank lines."""
    block: list[str] = []
    start = 1
    for number, line in enumerate([*text.lstrip("\ufeff").replace("\r\n", "\n").split("\n"), ""], start=1):
        if line.strip():
            if not block:
                start = number
            block.append(line)
        elif block:
            yield start, block
            block = []


def _note(block: list[str], title: dict[str, str], where: str) -> tuple[dict[str, object], list[str]]:
    """Our note among the comments, and the lines that are no comments."""
    note: dict[str, object] = {}
    for line in block:
        for mark in (_NOTE, _QUIZ):
            if line.startswith(mark):
                try:
                    found = json.loads(line.removeprefix(mark))
                except (json.JSONDecodeError, RecursionError):
                    raise ContentError(
                        [f"{where}: a note of tlcourse that is not JSON, expected it unchanged"]
                    ) from None
                if not isinstance(found, dict):
                    continue
                if mark == _QUIZ:
                    title[str(found.get("id"))] = str(found.get("title"))
                else:
                    note = found
    return note, [line for line in block if not line.lstrip().startswith("//")]


def _imported(body: str, note: dict[str, object], where: str) -> ImportedQuestion:
    title = ""
    if body.startswith("::") and len(parts := _split(body[2:], "::", 1)) == 2:
        title, body = parts
    opening = _find(body, "{")
    closing = _find(body, "}", opening)
    if opening < 0 or closing < 0:
        raise ContentError([f"{where}: no answers in braces, expected {{…}} (a description is not a question)"])
    before, inside, after = body[:opening], body[opening + 1 : closing].strip(), body[closing + 1 :].strip()
    prompt = _FORMAT.sub("", before.strip())
    if after:
        prompt = f"{prompt.rstrip()} _____ {after}"
    imported = ImportedQuestion(where=where, title=clean(_plain(title)), prompt=_plain(prompt), note=note)
    parts = _split(inside, "####", 1)
    if len(parts) == 2:
        imported.reason = _plain(parts[1])
    _fill(imported, parts[0].strip())
    if imported.form == "ordering":
        ordered = sorted(imported.pairs, key=lambda pair: int(pair["left"]) if pair["left"].isdecimal() else 0)
        imported.steps, imported.pairs = [{"text": pair["right"]} for pair in ordered], []
    return imported


def _fill(imported: ImportedQuestion, inside: str) -> None:
    """The answers, by their form."""
    if not inside:
        imported.type, imported.answer_text = "short", imported.reason
    elif inside.startswith("#"):
        _fill_number(imported, inside[1:].strip().lstrip("="))
    elif _TRUTH.match(first := _split(inside, "#")[0].strip()):
        _fill_truth(imported, first.upper().startswith("T"), _split(inside, "#")[1:])
    else:
        marked = [(mark, text.strip()) for mark, text in _marked(inside)]
        if marked and all(mark == "=" and len(_split(text, "->")) == 2 for mark, text in marked):
            _fill_match(imported, [text for _, text in marked])
        elif marked and all(mark == "=" for mark, _ in marked):
            imported.type = "short"
            imported.answer_text = " or ".join(_plain(_split(text, "#")[0]) for _, text in marked)
        else:
            _fill_choices(imported, marked)


def _fill_number(imported: ImportedQuestion, text: str) -> None:
    imported.type = "numeric"
    value, *feedback = _split(text, "#", 1)
    imported.reason = _plain(feedback[0]) if feedback else imported.reason
    number, *slack = _WEIGHT.sub("", value.strip()).split(":")
    try:
        if ".." in number:
            low, high = (float(end) for end in number.split(".."))
            imported.answer, imported.tolerance = (low + high) / 2, (high - low) / 2
        else:
            imported.answer, imported.tolerance = float(number), float(slack[0]) if slack else 0.0
    except ValueError:
        raise ContentError(
            [f"{imported.where}: `{value.strip()}` is not a number, expected such as 3.14:0.01"]
        ) from None


def _fill_truth(imported: ImportedQuestion, truth: bool, feedback: list[str]) -> None:
    """GIFT gives the feedback of a wrong answer first, then that of the right one."""
    imported.type = "single"
    wrong, right = ([_plain(text) for text in feedback] + ["", ""])[:2]
    imported.options = [option(word, right if truth == value else wrong, truth == value) for word, value in _TRUTHS]


_TRUTHS = (("True", True), ("False", False))


def _fill_match(imported: ImportedQuestion, rows: list[str]) -> None:
    imported.type = "matching"
    for row in rows:
        left, right = (clean(_plain(side)) for side in _split(row, "->"))
        if left:
            imported.pairs.append({"left": left, "right": right})
        else:
            imported.options.append({"text": right})


def _fill_choices(imported: ImportedQuestion, marked: list[tuple[str, str]]) -> None:
    for mark, text in marked:
        weight = _WEIGHT.match(text)
        correct = float(weight[1]) > 0 if weight else mark == "="
        answer, *feedback = _split(_WEIGHT.sub("", text), "#", 1)
        imported.options.append(option(_plain(answer), _plain(feedback[0]) if feedback else "", correct))
    right = sum(bool(choice.get("correct")) for choice in imported.options)
    imported.type = "single" if right == 1 and any(mark == "=" for mark, _ in marked) else "multiple"


def _marked(text: str) -> Iterator[tuple[str, str]]:
    """(mark, rest) of each answer that begins with an unescaped `=` or `~`."""
    starts = [place for place in range(len(text)) if text[place] in "=~" and not _is_escaped(text, place)]
    for start, end in itertools.pairwise([*starts, len(text)]):
        yield text[start], text[start + 1 : end]


def _split(text: str, mark: str, most: int = -1) -> list[str]:
    """Split at marks that are not escaped."""
    parts, start = [], 0
    while most != 0 and (place := _find(text, mark, start)) >= 0:
        parts.append(text[start:place])
        start, most = place + len(mark), most - 1
    return [*parts, text[start:]]


def _find(text: str, mark: str, start: int = 0) -> int:
    place = text.find(mark, max(start, 0))
    while place >= 0 and _is_escaped(text, place):
        place = text.find(mark, place + 1)
    return place


def _is_escaped(text: str, place: int) -> bool:
    before = place
    while before and text[before - 1] == "\\":
        before -= 1
    return (place - before) % 2 == 1


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)
