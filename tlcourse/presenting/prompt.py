"""The prompt of a question, which is Markdown: code, emphasis, and formulas between `$`, as they are shown."""

from __future__ import annotations

import re

from tlcourse.presenting.formula import FormulaError, inline
from tlcourse.presenting.marks import Line, Run

_MARKED = re.compile(
    r"`([^`\n]+)`"
    r"|\$(?=\S)([^$\n]+)(?<=\S)\$(?!\d)"
    r"|(?<![\w*])\*\*(?=\S)([^*\n]+)(?<=\S)\*\*(?![\w*])"
    r"|(?<![\w*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\w*])"
)
_LOOKS = ("$live", "$live", "bold", "italic")


def in_runs(text: str) -> Line:
    """The words of a prompt with their looks, without the marks of Markdown; a formula that cannot be set stays."""
    found, since = [], 0
    for one in _MARKED.finditer(text):
        number = one.lastindex or 1
        words = one[number]
        if number == 2:
            try:
                words = inline(words)
            except FormulaError:
                continue
        found += [Run(text[since : one.start()]), Run(words, _LOOKS[number - 1])]
        since = one.end()
    return [run for run in (*found, Run(text[since:])) if run.text]


def in_words(text: str) -> str:
    """The same as plain text."""
    return "".join(run.text for run in in_runs(text))
