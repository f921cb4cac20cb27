"""GIFT, the text format of Moodle (docs.moodle.org, "GIFT format").

Matches, numbers, choices and own words have a form of their own there. An order becomes a match of places, a drawn case
a choice with one case. GIFT allows no blank line within a question; line ends inside texts are written as `\\n`.

Each text is HTML, Markdown, plain, or Moodle's own (HTML whose line ends count), as `[html]` before the question says,
or before an answer. A question that says nothing is Moodle's own.
"""

from __future__ import annotations

import html
import itertools
import json
import re
from collections.abc import Iterator

from tlcourse.course.model import Quiz
from tlcourse.errors import ContentError
from tlcourse.quiz.exchange import markup
from tlcourse.quiz.exchange.common import (
    Given,
    clean,
    make_quizzes,
    note_of,
    option,
    steps_of_places,
    weights,
    with_listing,
)
from tlcourse.quiz.kinds import Matching, Multiple, Numeric, Ordering, Question, Short
from tlcourse.quiz.kinds.question import ImportedQuestion
from tlcourse.quiz.kinds.single import Choice
from tlcourse.text import cut


def changed(question: Question) -> str:
    """What GIFT cannot say of a question, as the end of a sentence."""
    return "written as matches of places" if isinstance(question, Ordering) else ""


_SPECIAL = "\\~=#{}:"
_NOTE = "// tlcourse: "
_QUIZ = "// tlcourse quiz: "
_FORMAT = re.compile(r"\s*+\[(html|moodle|plain|markdown)\]\s*+")
_TAGGED = re.compile(r"\[(id|tag):([^\]\n]*+)\]")
_NAMED = re.compile(r"// question: \d++ {1,3}name: (.*)")
_ESCAPE = re.compile(r"\\([\\~=#{}:>n])")
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
    kind = "[markdown]" if shown.code else "[plain]"  # only Markdown has listings
    head = f"{_NOTE}{json.dumps(note_of(question), ensure_ascii=False)}\n"
    return f"{head}::{_escaped(question.id)}::{kind}{_escaped(with_listing(shown))} {_answers(shown)}"


def _answers(question: Question) -> str:
    """The braces, by the form of the answer: GIFT has one for each of these kinds."""
    match question:
        case Numeric():
            number = f"{question.answer:.12g}:{question.tolerance:.12g}"
            return f"{{#\n={number}#{_said(question.reason, question)}\n}}"
        case Short():
            return f"{{####{_said(question.answer_text, question)}}}"
        case Matching():
            lefts = [_escaped(pair.left).replace("->", "-\\>") for pair in question.pairs]
            rows = [f"={left} -> {_escaped(pair.right)}" for left, pair in zip(lefts, question.pairs, strict=True)]
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
    return [
        f"{marks[choice.correct]}{_said(choice.text, question)}#{_said(choice.reason, question)}"
        for choice in question.options
    ]


def _said(text: str, question: Question) -> str:
    """A text of an answer, which is plain whatever the question is."""
    return ("[plain]" if question.code or _FORMAT.match(text) else "") + _escaped(text)


def _escaped(text: str) -> str:
    escaped = "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)
    return escaped.replace("\n", "\\n")


# -- reading -------------------------------------------------------------------------------------------------------


def read(text: str, given: Given) -> list[Quiz]:
    """Quizzes by category; what cannot be carried stands in `given.lost`.

    Raises ContentError naming file and line of a note of ours that was changed, or where no question can be taken.
    """
    own = given.name.rsplit(".", 1)[0]
    quizzes: dict[str, tuple[str, str, list[ImportedQuestion]]] = {}
    title: dict[str, str] = {}
    category = ""
    for line, block in _blocks(text):
        note, lines = _note(block, title, f"{given.name}:{line}")
        if lines and lines[0].startswith("$CATEGORY:"):
            category = lines.pop(0).removeprefix("$CATEGORY:").strip()
        if body := "\n".join(lines).strip():
            name = re.split("(?<!/)/(?!/)", category)[-1].replace("//", "/") if category else own
            _, _, questions = quizzes.setdefault(category, (name, title.get(name, name if category else ""), []))
            if imported := _imported(body, note, f"{given.name}:{line}", given):
                _take_tags(imported, block)
                questions.append(imported)
    return make_quizzes(list(quizzes.values()), given)


def _take_tags(imported: ImportedQuestion, block: list[str]) -> None:
    """The name and the identifier that Moodle writes as comments, and its tags."""
    for line in block:
        if (named := _NAMED.match(line)) and not imported.title:
            imported.title = clean(named[1])
        for found in _TAGGED.finditer(line) if line.lstrip().startswith("//") else ():
            if found[1] == "id":
                imported.title = clean(_plain(found[2]))
            else:
                imported.lost.append(f"the tag `{clean(_plain(found[2]))}` is left out")


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


def _imported(body: str, note: dict[str, object], where: str, given: Given) -> ImportedQuestion | None:
    title = ""
    if body.startswith("::") and len(parts := _split(body[2:], "::", 1)) == 2:
        title, body = parts
    opening = _find(body, "{")
    closing = _find(body, "}", opening)
    if opening < 0 or closing < 0:
        what = "a description, which asks nothing" if opening < 0 and "}" not in body else "braces without their pair"
        given.lost.append(f"{where}: {cut(clean(_plain(title)), 60) or 'a question'} is left out: {what}")
        return None
    before, inside, after = body[:opening], body[opening + 1 : closing].strip(), body[closing + 1 :].strip()
    form = found[1] if (found := _FORMAT.match(before)) else "moodle"
    before = before[found.end() :].strip() if found else before.strip()
    imported = ImportedQuestion(where=where, title=clean(_plain(title)), note=note)
    imported.prompt = _shown(f"{before} _____ {after}" if after else before, form, imported, listing=True)
    parts = _split(inside, "####", 1)
    if len(parts) == 2:
        imported.reason = _shown(parts[1], form, imported)
    _fill(imported, parts[0].strip(), form)
    imported.lost = list(dict.fromkeys(imported.lost))
    steps_of_places(imported)
    return imported


def _shown(text: str, form: str, imported: ImportedQuestion, *, listing: bool = False) -> str:
    """A text as a quiz shows it, from the format that it says, or from `form`, its question's."""
    if found := _FORMAT.match(text):
        form, text = found[1], text[found.end() :]
    text = _plain(text)
    if form == "html" or (form == "moodle" and markup.is_html(text)):
        made = markup.shown(text, keep_lines=form == "moodle")
        imported.lost += [f"left out of its HTML: {what}" for what in made.lost]
        return made.whole() if listing else "\n".join([made.text, *made.listings])
    return html.unescape(text) if form == "moodle" else text


def _fill(imported: ImportedQuestion, inside: str, form: str) -> None:
    """The answers, by their form."""
    if not inside:
        imported.type, imported.answer_text = "short", imported.reason
    elif inside.startswith("#"):
        _fill_number(imported, inside[1:].strip(), form)
    elif _TRUTH.match(first := _split(inside, "#")[0].strip()):
        _fill_truth(imported, first.upper().startswith("T"), _split(inside, "#")[1:], form)
    else:
        marked = [(mark, text.strip()) for mark, text in _marked(inside)]
        stray = _before_first(inside)
        if stray and marked:
            imported.problems.append(f"has `{cut(stray, 40)}` before its first answer, expected = or ~")
        if marked and all(mark == "=" and len(_split(text, "->", 1)) == 2 for mark, text in marked):
            _fill_match(imported, [text for _, text in marked], form)
        elif marked and all(mark == "=" for mark, _ in marked):
            _fill_short(imported, [text for _, text in marked], form)
        elif marked:
            _fill_choices(imported, marked, form)
        else:
            imported.problems.append(f"has `{cut(stray, 40)}` in its braces, which is no answer that GIFT knows")


def _weighed(text: str) -> tuple[float | None, str, str]:
    """(share in %, None where none is said; answer; feedback) of one answer."""
    weight = _WEIGHT.match(text)
    answer, *feedback = _split(text[weight.end() :] if weight else text, "#", 1)
    return float(weight[1]) if weight else None, answer.strip(), feedback[0].strip() if feedback else ""


def _fill_number(imported: ImportedQuestion, text: str, form: str) -> None:
    """One number; of several, each with its share of the points, the one that is worth all."""
    imported.type = "numeric"
    answers = [_weighed(one.strip()) for _, one in _marked(text)] if text.startswith(("=", "~")) else [_weighed(text)]
    whole = [one for one in answers if one[0] in (None, 100)]
    for share, answer, _ in answers:
        if share not in (None, 100):
            imported.lost.append(f"the answer {_plain(answer)} is worth {share:g} % there, and is wrong here")
    if len(whole) != 1:
        imported.problems.append(f"has {len(whole)} numbers that are fully right, expected one")
        return
    ((_, value, feedback),) = whole
    imported.reason = _shown(feedback, form, imported) if feedback else imported.reason
    number, *slack = value.split(":")
    try:
        if ".." in number:
            low, high = (float(end) for end in number.split(".."))
            imported.answer, imported.tolerance = (low + high) / 2, (high - low) / 2
        else:
            imported.answer, imported.tolerance = float(number), float(slack[0]) if slack else 0.0
    except ValueError:
        imported.problems.append(f"has `{cut(value, 40)}`, which is not a number, expected such as 3.14:0.01")


def _fill_truth(imported: ImportedQuestion, truth: bool, feedback: list[str], form: str) -> None:
    """GIFT gives the feedback of a wrong answer first, then that of the right one."""
    imported.type = "single"
    wrong, right = ([_shown(text, form, imported) for text in feedback] + ["", ""])[:2]
    imported.options = [option(word, right if truth == value else wrong, truth == value) for word, value in _TRUTHS]


def _fill_short(imported: ImportedQuestion, texts: list[str], form: str) -> None:
    """The answers that are fully right are the model answer; the feedback of the first says why."""
    imported.type = "short"
    answers = [_weighed(text) for text in texts]
    whole = [one for one in answers if one[0] in (None, 100)]
    imported.answer_text = " or ".join(_plain(answer) for _, answer, _ in whole)
    imported.reason = imported.reason or next((_shown(why, form, imported) for _, _, why in whole if why), "")
    for share, answer, _ in answers:
        if share not in (None, 100):
            imported.lost.append(f"the answer `{cut(_plain(answer), 40)}` is worth {share:g} % there, and is left out")


_TRUTHS = (("True", True), ("False", False))


def _fill_match(imported: ImportedQuestion, rows: list[str], form: str) -> None:
    imported.type = "matching"
    for row in rows:
        left, right = _split(row, "->", 1)
        left, right = clean(_shown(left.strip(), form, imported)), clean(_plain(right))
        if left:
            imported.pairs.append({"left": left, "right": right})
        else:
            imported.options.append({"text": right})


def _fill_choices(imported: ImportedQuestion, marked: list[tuple[str, str]], form: str) -> None:
    imported.type = "single" if any(mark == "=" for mark, _ in marked) else "multiple"
    shares = []
    for mark, text in marked:
        share, answer, feedback = _weighed(text)
        shares.append(share if share is not None else 100.0 if mark == "=" else 0.0)
        imported.options.append(option(_shown(answer, form, imported), _shown(feedback, form, imported), False))
    weights(imported, shares)


def _before_first(text: str) -> str:
    """What stands before the first answer."""
    places = (place for place, letter in enumerate(text) if letter in "=~" and not _is_escaped(text, place))
    return text[: next(places, len(text))].strip()


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
    """A text without the escapes of GIFT; other backslashes, such as those of LaTeX, stay."""
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)
