"""Brightspace (D2L): the CSV of "import questions" into the question library, UTF-8 with a byte-order mark.

MC, MS, SA, M, O and WR are used; TF is read as well. Brightspace has no numbers with a tolerance in this format: a
number becomes a short answer that must be given exactly, and its tolerance travels in a comment. A cell that a
spreadsheet would take for a formula gets an apostrophe, which is taken away when the file is read.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator

from tlcourse.course.model import Quiz
from tlcourse.errors import ContentError
from tlcourse.quiz.exchange import markup
from tlcourse.quiz.exchange.common import Given, clean, make_quizzes, note_of, option, weights
from tlcourse.quiz.kinds import Matching, Multiple, Numeric, Ordering, Question, Short
from tlcourse.quiz.kinds.question import ImportedQuestion
from tlcourse.quiz.kinds.single import Choice
from tlcourse.text import cut


def changed(question: Question) -> str:
    """What this format cannot say of a question, as the end of a sentence."""
    return "must be given exactly (no tolerance in this format)" if isinstance(question, Numeric) else ""


_NOTE = "//tlcourse"
_QUIZ = "//tlcourse-quiz"
_KINDS = {"single": "MC", "multiple": "MS", "numeric": "SA", "matching": "M", "ordering": "O", "short": "WR"}
_TYPES = {"MC": "single", "TF": "single", "MS": "multiple", "SA": "short", "M": "matching", "O": "ordering"}
_TYPES |= {"WR": "short"}
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
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
        yield ["QuestionText", markup.with_code(shown.prompt, shown.code), "HTML"]
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
    """The quizzes of such a file; what cannot be carried stands in `given.lost`.

    Raises ContentError naming file and line where it is no CSV, a note of ours was changed, or nothing can be taken.
    """
    quizzes: list[tuple[str, str, list[ImportedQuestion]]] = []
    note: dict[str, object] = {}
    is_known = False
    for line, cells in _cells(text, given.name):
        key, where = cells[0].strip().lower(), f"{given.name}:{line}"
        if key == _QUIZ:
            quizzes.append((_cell(cells, 1), _cell(cells, 2), []))
        elif key == _NOTE:
            note = _read_note(_cell(cells, 1), where)
        elif key == "newquestion":
            if not quizzes:
                quizzes.append((given.name.rsplit(".", 1)[0], "", []))
            kind = _cell(cells, 1).upper()
            is_known = kind in _TYPES
            if is_known:
                quizzes[-1][2].append(ImportedQuestion(where=where, type=_TYPES[kind], note=note))
            else:
                expected = ", ".join(_TYPES)
                given.lost.append(
                    f"{where}: `{kind}` is not a type, expected one of {expected}: the question is left out"
                )
            note = {}
        elif is_known and not key.startswith("//"):
            _take(quizzes[-1][2][-1], key, cells)
    for _, _, questions in quizzes:
        for imported in questions:
            _finish(imported)
    if given.lost and not any(questions for _, _, questions in quizzes):
        raise ContentError(list(given.lost))
    return make_quizzes(quizzes, given)


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


_FLAG = {"questiontext": 2, "option": 3, "true": 3, "false": 3, "item": 2, "choice": 3, "match": 3, "hint": 2}
_FLAG |= {"feedback": 2, "answerkey": 2}
_PASSED_OVER = {"id", "scoring", "inputbox"}
_LEFT_OUT = {"hint": "the hint", "image": "the picture", "initialtext": "the text that an answer begins with"}


def _take(imported: ImportedQuestion, key: str, cells: Row) -> None:
    """One row of a question."""
    is_html = _cell(cells, _FLAG.get(key, 0)).upper() == "HTML"
    plain = _cell(cells, 1)
    first, second, third, fourth = (_text(_cell(cells, place), is_html, imported) for place in range(1, 5))
    match key:
        case "title":
            imported.title = clean(plain)
        case "questiontext":
            imported.prompt = _text(plain, is_html, imported, listing=True)
        case "option":
            imported.options.append({**option(second, fourth, _number(plain) > 0), "share": _number(plain)})
        case "true" | "false":
            imported.options.append({**option(key.capitalize(), second, False), "share": _number(plain)})
        case "answer":
            _take_answer(imported, _number(plain), clean(_cell(cells, 2)), _cell(cells, 3).strip().lower())
        case "answerkey":
            imported.answer_text = first
        case "choice":
            imported.options.append({"number": plain, "text": clean(second)})
        case "match":
            imported.pairs.append({"left": clean(second), "right": plain})
        case "item":
            imported.steps.append({"text": clean(first), **({"reason": clean(third)} if clean(third) else {})})
        case "feedback":
            imported.reason = first or fourth
        case "points":
            if _number(plain) != 1:
                imported.lost.append(f"its {cut(clean(plain), 10)} points are left out: here all questions count alike")
        case "difficulty":
            if plain in ("1", "2", "3"):
                imported.note.setdefault("difficulty", int(plain))
            else:
                imported.lost.append(f"its difficulty {cut(clean(plain), 10)} is left out, expected one from 1 to 3")
        case _ if key not in _PASSED_OVER and first:
            what = _LEFT_OUT.get(key) or f"the row {cut(clean(key), 40)}"
            imported.lost.append(f"{what} `{cut(clean(first), 40)}` is left out")


def _take_answer(imported: ImportedQuestion, share: float, text: str, how: str) -> None:
    """An answer that must be typed: those that are worth everything are the model answer."""
    if share < 100:
        imported.lost.append(f"the answer `{cut(text, 40)}` is worth {share:g} % there, and is left out")
        return
    imported.answer_text = " or ".join(filter(None, [imported.answer_text, text]))
    if how == "regexp":
        imported.lost.append(f"the answer `{cut(text, 40)}` is a pattern there, and a text here")


def _finish(imported: ImportedQuestion) -> None:
    """What is only known when all rows were read."""
    imported.lost = list(dict.fromkeys(imported.lost))
    shares = [float(one.pop("share", 0.0)) for one in imported.options]
    if imported.type == "single" and imported.form != "numeric":
        weights(imported, shares)
    if imported.form == "numeric":
        imported.type = "numeric"
        try:
            imported.answer = float(imported.answer_text.replace(",", "."))
        except ValueError:
            imported.problems.append(f"has `{cut(imported.answer_text, 40)}`, which is not a number, expected one")
    if imported.type == "matching":
        sides = {str(one["number"]): str(one["text"]) for one in imported.options if "number" in one}
        imported.pairs = [{"left": pair["left"], "right": sides.get(pair["right"], "")} for pair in imported.pairs]
        used = {pair["right"] for pair in imported.pairs}
        imported.options = [{"text": side} for side in sides.values() if side not in used]


def _text(text: str, is_html: bool, imported: ImportedQuestion, *, listing: bool = False) -> str:
    """A cell as a quiz shows it; what stands in `pre` comes back as a listing."""
    if not is_html:
        return text
    made = markup.shown(text)
    imported.lost += [f"left out of its HTML: {what}" for what in made.lost]
    return made.whole() if listing else "\n".join([made.text, *made.listings])


def _cell(cells: Row, place: int) -> str:
    text = cells[place].strip("\r\n") if place < len(cells) else ""
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "\t", "'") else text


def _number(text: str) -> float:
    """A number of a cell; 0 where it is none."""
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0
