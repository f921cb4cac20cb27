"""The few things that the course asks of Markdown: front matter, headings, and the names by which they are linked."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from msgspec import Struct

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


class Folded(Struct, frozen=True):
    """A question to the reader, and the answer that is folded below it, both without the marks of Markdown."""

    name: str
    """By the words of the question: it keeps it wherever in the lesson it stands, and whatever stands before it."""
    section: str
    """The `slug` of its section."""
    place: str
    """What it was called before: its section, of a further one in it with a number, such as `check-yourself.2`."""
    question: str
    answer: str


_ANSWER, _PUT = "**Answer.**", ("**Check.**", "**Discuss.**")
_EMPHASIS = re.compile(r"(?<![\w*])(?:\*\*(?=\S)([^*]+)(?<=\S)\*\*|\*(?=\S)([^*]+)(?<=\S)\*)(?![\w*])")


def folded(body: str) -> list[Folded]:
    """The answers of a lesson that are folded, in order: paragraphs that begin with `**Answer.**`.

    The question is the paragraph above that begins with `**Check.**` or `**Discuss.**`, and what follows it; where
    there is none, all since the heading or the answer before. Straight below its heading it is the heading that asks.
    """
    found: list[Folded] = []
    names: set[str] = set()
    for heading, text in sections(body):
        asked: list[str] = []
        count = 0
        for paragraph in _paragraphs(text):
            if paragraph.startswith(_ANSWER):
                count += 1
                section = slug(heading)
                place = section + (f".{count}" if count > 1 else "")
                told = [_unmarked(part.removeprefix(_ANSWER).strip()) for part in (*asked, paragraph)]
                question = "\n\n".join(told[:-1]) or heading
                name = _name_of(question, names)
                found.append(Folded(name, section, place, question, told[-1]))
                asked = []
                continue
            if QUESTION.match(paragraph):
                asked = []
                continue
            put = next((mark for mark in _PUT if paragraph.startswith(mark)), "")
            asked = [paragraph.removeprefix(put).strip()] if put else [*asked, paragraph]
    return found


def _name_of(question: str, taken: set[str]) -> str:
    """A name for these words that no question of the lesson has yet."""
    number = zlib.crc32(" ".join(question.split()).encode())
    while (name := f"q-{number:08x}") in taken:
        number += 1
    taken.add(name)
    return name


def _paragraphs(text: str) -> list[str]:
    """What blank lines part, listings whole."""
    found: list[list[str]] = [[]]
    fenced = False
    for line in text.splitlines():
        fenced ^= bool(_FENCE.match(line))
        if line.strip() or fenced:
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return ["\n".join(lines) for lines in found if lines]


def _unmarked(text: str) -> str:
    if _FENCE.match(text):
        return "\n".join(text.splitlines()[1:-1])
    text = re.sub(r"\[([^\[\]]*)\]\([^()]*\)", r"\1", " ".join(text.split()))
    for _ in range(2):  # one within the other
        text = _EMPHASIS.sub(lambda found: found[1] or found[2], text)
    return re.sub(r"`([^`]*)`", r"\1", text)


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


def sections(body: str) -> list[tuple[str, str]]:
    """The (heading, text) pairs of the second level, such as the hints of `hints.md`."""
    found: list[tuple[str, list[str]]] = []
    fenced = False
    for line in body.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        match = None if fenced else _HEADING.match(line)
        if match and len(match[1]) == 2:
            found.append((_without_closing(match[2]), []))
        elif found:
            found[-1][1].append(line)
    return [(heading, "\n".join(lines).strip()) for heading, lines in found]


def fences(text: str, name: str) -> Iterator[tuple[int, str]]:
    """Number of the first line inside, and the text, of each fence of that name; both as in `text`."""
    inside: list[str] | None = None
    start = 0
    mark = ""
    for number, line in enumerate(text.splitlines(), start=1):
        found = re.match(r"(`{3,}|~{3,})\s*(\S*)", line)
        if inside is not None:
            if line.strip() == mark:
                if start:
                    yield start, "\n".join(inside)
                inside = None
            else:
                inside.append(line)
        elif found:
            inside, mark = [], found[1]
            start = number + 1 if found[2] == name else 0
