"""What can be wrong with one question: nothing to answer, two answers alike, an answer without its reason."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

from tlcourse.course.model import Question

LETTERS = "abcdefghi"
"""Answers are named by these letters, so that there are nine at most; `j` and `k` move the cursor in the app."""
MOST_LINES = 24
"""Of a listing in which a line is to be chosen: more do not fit a terminal, question and all."""
_NEEDS = {
    "single": {"options"},
    "multiple": {"options"},
    "numeric": {"answer", "reason"},
    "matching": {"pairs"},
    "ordering": {"steps"},
    "short": {"answer_text", "reason"},
    "classify": {"cases"},
    "bug": {"code", "options"},
}
_MAY = {"matching": {"options"}, "numeric": {"tolerance"}}
_WHAT = {
    "answer": "a number",
    "reason": "why the answer is right",
    "answer_text": "a model answer",
    "cases": "the family of its cases, `setting` or `shift`",
    "code": "a listing",
    "options": "at least 2",
    "pairs": "at least 2",
    "steps": "at least 3",
}


def problems_of_question(question: Question) -> Iterator[str]:
    """Each problem as the end of a sentence that begins with the question's name."""
    yield from _field_problems(question)
    if question.type in ("single", "multiple", "bug"):
        yield from _choice_problems(question)
    elif question.type == "matching":
        yield from _matching_problems(question)
    elif question.type == "ordering":
        yield from _few_or_alike([step.text for step in question.steps], "steps", 3)
    if question.type == "bug":
        yield from _bug_problems(question)


def _field_problems(question: Question) -> Iterator[str]:
    filled = {name for name in (*_WHAT, "tolerance") if getattr(question, name) not in (None, "", [], 0.0)}
    if question.answer is not None:
        filled.add("answer")  # zero is an answer
    needed = _NEEDS[question.type]
    for name in sorted(needed - filled - {"options", "pairs", "steps"}):
        yield f"has no `{name}`, expected {_WHAT[name]}"
    for name in sorted(filled - needed - _MAY.get(question.type, set()) - {"code"}):
        yield f"is of type {question.type} and has `{name}`, expected none"


def _choice_problems(question: Question) -> Iterator[str]:
    right = sum(option.correct for option in question.options)
    yield from _few_or_alike([option.text for option in question.options], "options", 2)
    if question.type in ("single", "bug") and right != 1:
        yield f"has {right} correct options, expected exactly 1"
    if question.type == "multiple" and right == 0:
        yield "has no correct option, expected at least 1"


def _matching_problems(question: Question) -> Iterator[str]:
    yield from _few_or_alike([pair.left for pair in question.pairs], "pairs", 2)
    rights = {_plain(pair.right) for pair in question.pairs}
    wrong = [_plain(option.text) for option in question.options]
    if any(option.correct for option in question.options):
        yield "has an option that is correct beside its pairs, expected only ones that fit nothing"
    if len({*rights, *wrong}) < len(rights) + len(wrong):
        yield "has two options with the same text, expected texts that differ"
    if len({*rights, *wrong}) < 2:
        yield "has one right side only, expected at least 2"
    if len({*rights, *wrong}) > len(LETTERS):
        yield f"has more than {len(LETTERS)} right sides, expected at most {len(LETTERS)}"


def _bug_problems(question: Question) -> Iterator[str]:
    lines = Counter(line.strip() for line in question.code.splitlines())
    for option in question.options:
        if lines[option.text.strip()] != 1:
            yield f"has the option `{option.text}`, expected one that is exactly one line of its code"
    if (count := len(question.code.rstrip().splitlines())) > MOST_LINES:
        yield f"has {count} lines of code, expected at most {MOST_LINES}"
    try:
        ast.parse(question.code)
    except SyntaxError as error:
        yield f"has code that is no Python (line {error.lineno}), expected a listing that could run"


def _few_or_alike(texts: list[str], what: str, least: int) -> Iterator[str]:
    if len(texts) < least:
        yield f"has {len(texts)} {what}, expected at least {least}"
    if len(texts) > len(LETTERS):
        yield f"has {len(texts)} {what}, expected at most {len(LETTERS)}"
    if _alike(texts):
        yield f"has two {what} with the same text, expected texts that differ"


def _alike(texts: Iterable[str]) -> bool:
    return any(count > 1 for count in Counter(map(_plain, texts)).values())


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
