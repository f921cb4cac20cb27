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

from tlcourse.course.model import Quiz
from tlcourse.errors import ContentError
from tlcourse.quiz.exchange.common import Given, clean, make_quiz, note_of, option
from tlcourse.quiz.kinds import Matching, Multiple, Numeric, Ordering, Question, Short
from tlcourse.quiz.kinds.question import ImportedQuestion
from tlcourse.quiz.kinds.single import Choice

CHANGED = {"numeric": "must be given exactly (no tolerance in this format)"}
"""What this format cannot say, by kind."""
_NOTE = "//tlcourse"
_QUIZ = "//tlcourse-quiz"
_KINDS = {"single": "MC", "multiple": "MS", "numeric": "SA", "matching": "M", "ordering": "O", "short": "WR"}
_TYPES = {"MC": "single", "TF": "single", "MS": "multiple", "SA": "short", "M": "matching", "O": "ordering"}
_TYPES |= {"WR": "short"}
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_TAG = re.compile(r"<[^<>]+>")
_PRE = re.compile(r"<pre>((?:[^<]|<(?!/?pre>))*+)</pre>", re.DOTALL)
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
    shown = question.exported()
    yield [_NOTE, json.dumps(note_of(question), ensure_ascii=False)]
    yield ["NewQuestion", _KINDS[shown.type]]
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
    """The rows of the answer, by its form."""
    match question:
        case Numeric():
            yield ["InputBox", "1", "20"]
            yield ["Answer", "100", f"{question.answer:.12g}"]
            yield ["Feedback", question.reason]
        case Short():
            yield ["AnswerKey", question.answer_text]
            yield ["Feedback", question.reason]
        case Matching():
            yield ["Scoring", "EquallyWeighted"]
            yield from (["Choice", str(number), side] for number, side in enumerate(question.choices(), start=1))
            matches = zip(question.pairs, question.right(), strict=True)
            yield from (["Match", str(right + 1), pair.left] for pair, right in matches)
        case Ordering():
            yield ["Scoring", "RightMinusWrong"]
            yield from (["Item", step.text, "NOT HTML", step.reason] for step in question.steps)
        case Choice():
            weight = "100"
            if isinstance(question, Multiple):
                yield ["Scoring", "RightMinusWrong"]
                weight = "1"
            for choice in question.options:
                yield ["Option", weight if choice.correct else "0", choice.text, "", choice.reason]


def _safe(cell: str) -> str:
    """No spreadsheet takes the cell for a formula."""
    risky = cell.startswith(("=", "+", "-", "@", "\t", "'")) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if risky else cell


# -- reading -------------------------------------------------------------------------------------------------------


def read(text: str, given: Given) -> list[Quiz]:
    """The quizzes of such a file; raises ContentError naming file and line."""
    quizzes: list[tuple[str, str, list[ImportedQuestion]]] = []
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
                raise ContentError(
                    [f"{given.name}:{line}: `{kind}` is not a type, expected one of {', '.join(_TYPES)}"]
                )
            quizzes[-1][2].append(ImportedQuestion(where=f"{given.name}:{line}", type=_TYPES[kind], note=note))
            note = {}
        elif quizzes and quizzes[-1][2]:
            _take(quizzes[-1][2][-1], key.lower(), cells)
    for _, _, questions in quizzes:
        for imported in questions:
            _finish(imported)
    return [make_quiz(name, title, found, given) for name, title, found in quizzes if found]


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
        raise ContentError([f"{where}: a note of tlcourse that is not JSON, expected it unchanged"]) from None
    return found if isinstance(found, dict) else {}


def _take(imported: ImportedQuestion, key: str, cells: Row) -> None:
    """One row of a question."""
    first, second, fourth = _cell(cells, 1), _cell(cells, 2), _cell(cells, 4)
    if key == "title":
        imported.title = clean(first)
    elif key == "questiontext":
        imported.prompt = _from_html(first) if _cell(cells, 2).upper() == "HTML" else first
    elif key == "option":
        imported.options.append(option(second, fourth, _positive(first)))
    elif key in ("true", "false"):
        imported.options.append(option(key.capitalize(), second, _positive(first)))
    elif key == "answer":
        imported.answer_text = " or ".join(filter(None, [imported.answer_text, second]))
    elif key == "answerkey":
        imported.answer_text = first
    elif key == "choice":
        imported.options.append({"number": first, "text": clean(second)})
    elif key == "match":
        imported.pairs.append({"left": clean(second), "right": first})
    elif key == "item":
        reason = clean(_cell(cells, 3))
        imported.steps.append({"text": clean(first), **({"reason": reason} if reason else {})})
    elif key == "feedback":
        imported.reason = first or fourth


def _finish(imported: ImportedQuestion) -> None:
    """What is only known when all rows were read."""
    if imported.form == "numeric":
        imported.type = "numeric"
        try:
            imported.answer = float(imported.answer_text.replace(",", "."))
        except ValueError:
            raise ContentError([f"{imported.where}: `{imported.answer_text}` is not a number, expected one"]) from None
    if imported.type == "matching":
        sides = {str(one["number"]): str(one["text"]) for one in imported.options if "number" in one}
        imported.pairs = [{"left": pair["left"], "right": sides.get(pair["right"], "")} for pair in imported.pairs]
        used = {pair["right"] for pair in imported.pairs}
        imported.options = [{"text": side} for side in sides.values() if side not in used]


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
