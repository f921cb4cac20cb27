"""Brightspace (D2L): the CSV of "import questions" into the question library, UTF-8 with a byte-order mark.

MC, MS, SA, M, O and WR are used; TF is read as well. Brightspace has no numbers with a tolerance in this format: a
number becomes a short answer that must be given exactly, and its tolerance travels in a comment. A cell that a
spreadsheet would take for a formula gets an apostrophe, which is taken away when the file is read.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator

from tlcourse.course.model import Question, Quiz
from tlcourse.errors import ContentError
from tlcourse.quiz.exchange.common import Draft, Given, clean, drawn, make_quiz, note_of, option
from tlcourse.quiz.presenting import rights

_NOTE = "//tlcourse"
_QUIZ = "//tlcourse-quiz"
_KINDS = {"single": "MC", "classify": "MC", "bug": "MC", "multiple": "MS", "numeric": "SA", "matching": "M"}
_KINDS |= {"ordering": "O", "short": "WR"}
_TYPES = {"MC": "single", "TF": "single", "MS": "multiple", "SA": "short", "M": "matching", "O": "ordering"}
_TYPES |= {"WR": "short"}
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_TAG = re.compile(r"<[^>]+>")
_PRE = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)
Row = list[str]


# -- writing -------------------------------------------------------------------------------------------------------


def write(quizzes: list[Quiz]) -> str:
    """All questions; a comment says where each quiz begins."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for quiz in quizzes:
        writer.writerow([_QUIZ, quiz.id, _safe(quiz.title)])
        for question in quiz.questions:
            writer.writerows([_safe(cell) for cell in row] for row in _rows(question))
            writer.writerow([])
    return "\ufeff" + text.getvalue()


def _rows(question: Question) -> Iterator[Row]:
    note = note_of(question)
    if question.type == "numeric":
        note["tolerance"] = question.tolerance
    shown = drawn(question)
    yield [_NOTE, json.dumps(note, ensure_ascii=False)]
    yield ["NewQuestion", _KINDS[question.type]]
    yield ["ID", question.id]
    yield ["Title", question.id]
    if shown.code:
        marked = f"<p>{html.escape(shown.prompt, quote=False)}</p><pre>{html.escape(shown.code, quote=False)}</pre>"
        yield ["QuestionText", marked, "HTML"]
    else:
        yield ["QuestionText", shown.prompt]
    yield ["Points", "1"]
    yield ["Difficulty", str(question.difficulty)]
    yield from _answers(shown)


def _answers(question: Question) -> Iterator[Row]:
    if question.type == "numeric":
        yield ["InputBox", "1", "20"]
        yield ["Answer", "100", f"{question.answer:.12g}"]
        yield ["Feedback", question.reason]
    elif question.type == "short":
        yield ["AnswerKey", question.answer_text]
        yield ["Feedback", question.reason]
    elif question.type == "matching":
        yield ["Scoring", "EquallyWeighted"]
        sides = rights(question)
        yield from (["Choice", str(number), side] for number, side in enumerate(sides, start=1))
        yield from (["Match", str(sides.index(pair.right) + 1), pair.left] for pair in question.pairs)
    elif question.type == "ordering":
        yield ["Scoring", "RightMinusWrong"]
        yield from (["Item", step.text, "NOT HTML", step.reason] for step in question.steps)
    else:
        several = question.type == "multiple"
        if several:
            yield ["Scoring", "RightMinusWrong"]
        weight = "1" if several else "100"
        for choice in question.options:
            yield ["Option", weight if choice.correct else "0", choice.text, "", choice.reason]


def _safe(cell: str) -> str:
    """No spreadsheet takes the cell for a formula."""
    risky = cell.startswith(("=", "+", "-", "@", "\t", "'")) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if risky else cell


# -- reading -------------------------------------------------------------------------------------------------------


def read(text: str, given: Given) -> list[Quiz]:
    """The quizzes of such a file; raises ContentError naming file and line."""
    quizzes: list[tuple[str, str, list[Draft]]] = []
    note: dict[str, object] = {}
    for line, cells in _cells(text, given.name):
        key = cells[0].strip()
        if key == _QUIZ:
            quizzes.append((_cell(cells, 1), _cell(cells, 2), []))
        elif key == _NOTE:
            note = _read_note(_cell(cells, 1), f"{given.name}:{line}")
        elif key.startswith("//"):
            continue
        elif key.lower() == "newquestion":
            if not quizzes:
                quizzes.append((given.name.rsplit(".", 1)[0], "", []))
            kind = _cell(cells, 1).upper()
            if kind not in _TYPES:
                raise ContentError([f"{given.name}:{line}: `{kind}` is no type, expected one of {', '.join(_TYPES)}"])
            quizzes[-1][2].append(Draft(where=f"{given.name}:{line}", type=_TYPES[kind], note=note))
            note = {}
        elif quizzes and quizzes[-1][2]:
            _take(quizzes[-1][2][-1], key.lower(), cells)
    for _, _, drafts in quizzes:
        for draft in drafts:
            _finish(draft)
    return [make_quiz(name, title, drafts, given) for name, title, drafts in quizzes if drafts]


def _cells(text: str, name: str) -> Iterator[tuple[int, Row]]:
    text = text.lstrip("\ufeff")
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith(("//", '"//'))), "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise ContentError([f"{name}:{reader.line_num}: {error}, expected a CSV file"]) from None


def _read_note(text: str, where: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise ContentError([f"{where}: a note of tlcourse that is no JSON, expected it unchanged"]) from None
    return found if isinstance(found, dict) else {}


def _take(draft: Draft, key: str, cells: Row) -> None:
    """One row of a question."""
    first, second, fourth = _cell(cells, 1), _cell(cells, 2), _cell(cells, 4)
    if key == "title":
        draft.title = clean(first)
    elif key == "questiontext":
        draft.prompt = _from_html(first) if _cell(cells, 2).upper() == "HTML" else first
    elif key == "option":
        draft.options.append(option(second, fourth, _positive(first)))
    elif key in ("true", "false"):
        draft.options.append(option(key.capitalize(), second, _positive(first)))
    elif key == "answer":
        draft.answer_text = " or ".join(filter(None, [draft.answer_text, second]))
    elif key == "answerkey":
        draft.answer_text = first
    elif key == "choice":
        draft.options.append({"number": first, "text": clean(second)})
    elif key == "match":
        draft.pairs.append({"left": clean(second), "right": first})
    elif key == "item":
        reason = clean(_cell(cells, 3))
        draft.steps.append({"text": clean(first), **({"reason": reason} if reason else {})})
    elif key == "feedback":
        draft.reason = first or fourth


def _finish(draft: Draft) -> None:
    """What is only known when all rows were read."""
    if draft.note.get("type") == "numeric":
        draft.type = "numeric"
        try:
            draft.answer = float(draft.answer_text.replace(",", "."))
        except ValueError:
            raise ContentError([f"{draft.where}: `{draft.answer_text}` is no number, expected one"]) from None
    if draft.type == "matching":
        sides = {str(choice["number"]): str(choice["text"]) for choice in draft.options}
        draft.pairs = [{"left": pair["left"], "right": sides.get(pair["right"], "")} for pair in draft.pairs]
        used = {pair["right"] for pair in draft.pairs}
        draft.options = [{"text": side} for side in sides.values() if side not in used]


def _from_html(text: str) -> str:
    """The text of simple HTML; what stands in `pre` comes back as a listing."""
    code = _PRE.search(text)
    prompt = html.unescape(_TAG.sub("", _PRE.sub("", text))).strip()
    return f"{prompt}\n\n```\n{html.unescape(code[1]).rstrip()}\n```" if code else prompt


def _cell(cells: Row, place: int) -> str:
    text = cells[place].strip("\r\n") if place < len(cells) else ""
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "\t", "'") else text


def _positive(text: str) -> bool:
    try:
        return float(text.replace(",", ".")) > 0
    except ValueError:
        return False
