"""The few things that the course asks of Markdown: front matter, headings, and the names by which they are linked."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^(```|~~~)")
QUESTION = re.compile(r"^\[[^\[\]]*\]\(question/([\w.-]+)\)\s*\Z")
"""A line that places a question of the unit's quizzes: `[Question](question/ID)`, alone in it."""
_HEADING = re.compile(r"^(#{1,6})\s++(.+)\Z")


def split_front_matter(text: str) -> tuple[str, str]:
    """The YAML between the first two `---` lines, and the rest; the first is empty where there is none."""
    if not text.startswith("---\n"):
        return "", text
    head, found, body = text[4:].partition("\n---\n")
    return (head, body) if found else ("", text)


def slug(heading: str) -> str:
    """`What is shared?` is linked to as `what-is-shared`."""
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def headings(body: str) -> list[tuple[int, str]]:
    """Level and text of each heading, in order, those in code fences left out."""
    found = []
    fenced = False
    for line in body.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (match := _HEADING.match(line)):
            found.append((len(match[1]), _without_closing(match[2])))
    return found


def _without_closing(text: str) -> str:
    """A heading's text without the `##` that may close it."""
    return text.rstrip().rstrip("#").rstrip() or text.strip()


def title_of(body: str, name: str) -> str:
    """The heading of the section whose `slug` is `name`; empty where there is none."""
    return next((heading for heading, _ in sections(body) if slug(heading) == name), "")


WORDS_A_MINUTE = 138
"""At which a text is studied: the slowest of Carver's rates, reading to remember (Journal of Reading 36, 1992).

Of plain reading most adults do 175 to 300, 238 in the mean, and fewer in a second language (Brysbaert 2019, Journal of
Memory and Language 109, 104047).
"""
CHECK_S = 60
"""For a question to the reader: the minute that makers of tests allow for one item. A convention, not a measurement."""
_ASKED = re.compile(r"^\*\*(?:Check|Discuss)\.\*\*|^## Check yourself$|^\[[^\[\]]*\]\(question/", re.MULTILINE)
_SYMBOL = re.compile(r"\\?[A-Za-z_]\w*|\d+(?:\.\d+)?|[^\W\da-zA-Z_]|[-=+*/<>@·≤≥→|]")
_LAYOUT = {"\\text", "\\frac", "\\left", "\\right", "\\quad", "\\begin", "\\end", "\\mathrm", "\\operatorname"}
_KEY = re.compile(r"\b\w+:(?=\s|$)")


def minutes_of(body: str) -> int:
    """How long a lesson takes: what there is to read, and a minute for each question. The one rule for `minutes`.

    A question that is placed in the text counts as those in it do.

    One rate for all, as all has to be understood: each word, each name, number and operator of a listing or a formula,
    each word in a figure or a table counts one.
    """
    checks = len(_ASKED.findall(body))
    return max(round(words_of(body) / WORDS_A_MINUTE + checks * CHECK_S / 60), 1)


def words_of(body: str) -> int:
    """Words, and what counts as one (see `minutes_of`)."""
    found, fence, unseen = 0, "", False
    for line in body.splitlines():
        if line.startswith(("```", "~~~", "$$")):
            one_line = line.startswith("$$") and line.count("$$") == 2
            found += _symbols(line) if one_line else 0
            fence = "" if fence or one_line else line.strip()
        elif fence == "```figure":
            unseen = line.startswith("alt:") or (unseen and line.startswith(" "))  # it is read where nothing is drawn
            found += 0 if unseen else len(re.findall(r"[^\W\d_]{2,}", _KEY.sub("", line)))
        elif fence or line.startswith("    "):
            found += _symbols(line)
        else:
            found += sum(any(map(str.isalnum, word)) for word in line.split())
    return found


def _symbols(line: str) -> int:
    return sum(symbol not in _LAYOUT for symbol in _SYMBOL.findall(line))


def sections(body: str, level: int = 2) -> list[tuple[str, str]]:
    """The (heading, text) pairs of one heading level, such as the hints of `hints.md`."""
    found: list[tuple[str, list[str]]] = []
    fenced = False
    for line in body.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        match = None if fenced else _HEADING.match(line)
        if match and len(match[1]) == level:
            found.append((_without_closing(match[2]), []))
        elif found:
            found[-1][1].append(line)
    return [(heading, "\n".join(lines).strip()) for heading, lines in found]
