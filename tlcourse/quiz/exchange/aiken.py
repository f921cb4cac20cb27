"""Aiken, the smallest text format: a question, lettered options, and `ANSWER: B` (docs.moodle.org, "Aiken format").

It has one kind of question, and no place for reasons, names or comments: what is exported comes back as prompts and
options. A question is one line there, so that line ends within texts become spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tlcourse.course.model import Quiz
from tlcourse.quiz.exchange.common import Given, clean, make_quizzes, option
from tlcourse.quiz.kinds import Multiple, Question
from tlcourse.quiz.kinds.question import ImportedQuestion
from tlcourse.quiz.kinds.single import Choice
from tlcourse.text import cut

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OPTION = re.compile(r"\s*+([A-Za-z])[.)]\s++(\S.*)\Z", re.DOTALL)
_ANSWER = re.compile(r"\s*+ANSWER\s*+:\s*+(\S.*)\Z", re.IGNORECASE)


def changed(question: Question) -> str:
    """What Aiken cannot say of a question, as the end of a sentence."""
    if not isinstance(question, Choice) or isinstance(question, Multiple):
        return "left out (only choices with one right answer can be said)"
    if question.code:
        return "left out (a listing cannot be said)"
    return "without reasons, objectives, sections, difficulty and names"


def write(quizzes: list[Quiz]) -> str:
    """All choices with one right answer and no listing."""
    shown = [question.exported() for quiz in quizzes for question in quiz.questions]
    return (
        "\n\n".join(_question(one) for one in shown if isinstance(one, Choice) and "left out" not in changed(one))
        + "\n"
    )


def _question(question: Choice) -> str:
    (right,) = question.right()
    options = (f"{letter}. {_line(text)}" for letter, text in zip(_LETTERS, question.choices(), strict=False))
    return "\n".join([_line(question.prompt), *options, f"ANSWER: {_LETTERS[right]}"])


def _line(text: str) -> str:
    return " ".join(text.split())


def read(text: str, given: Given) -> list[Quiz]:
    """One quiz; what cannot be carried stands in `given.lost`. Raises ContentError where no question can be taken."""
    imported = [_imported(number, lines, given) for number, lines in _blocks(text)]
    found = [one for one in imported if one]
    return make_quizzes([(given.name.rsplit(".", 1)[0], "", found)], given)


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """(first line, lines) of each question: up to its answer, or a blank line with no option and no answer behind."""
    block: list[str] = []
    start, gap = 1, False
    for number, line in enumerate(text.lstrip("\ufeff").replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip():
            gap = True
            continue
        if block and gap and not _OPTION.match(line) and not _ANSWER.match(line):
            yield start, block
            block = []
        start, gap = start if block else number, False
        block.append(line)
        if _ANSWER.match(line):
            yield start, block
            block = []
    if block:
        yield start, block


def _imported(number: int, lines: list[str], given: Given) -> ImportedQuestion | None:
    imported = ImportedQuestion(where=f"{given.name}:{number}", type="single")
    letters: list[str] = []
    answer = ""
    for line in lines:
        if found := _ANSWER.match(line):
            answer = found[1].strip().rstrip(".)").upper()
        elif (found := _OPTION.match(line)) and found[1].upper() == _LETTERS[len(letters) : len(letters) + 1]:
            letters.append(found[1].upper())
            imported.options.append(option(found[2], "", False))
        elif letters:
            imported.options[-1]["text"] += f"\n{clean(line)}"
        else:
            imported.prompt += f"\n{line}" if imported.prompt else line
    if not letters and not answer:
        given.lost.append(
            f"{imported.where}: `{cut(clean(lines[0]), 60)}` is left out: it has no options and no answer"
        )
        return None
    if answer not in letters:
        imported.problems.append(f"has `{cut(clean(answer), 20)}` as its answer, expected one of {', '.join(letters)}")
    else:
        imported.options[letters.index(answer)]["correct"] = True
    return imported
