"""The few things that the course asks of Markdown: front matter, headings, and the names by which they are linked."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^(```|~~~)")
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


WORDS_A_MINUTE = 150
"""Of prose that is read to be understood."""
LINE_S, FORMULA_S, FIGURE_S, CHECK_S = 4, 20, 30, 40
"""Seconds for a line of a listing, a formula or a line of figures, a drawing or table, and a question to the reader."""


def minutes_of(body: str) -> int:
    """How long a lesson takes: words of prose, and what slows a reader down. The one rule for `minutes`."""
    seconds, words, fence = 0.0, 0, ""
    table = False
    for line in body.splitlines():
        if line.startswith(("```", "~~~", "$$")):
            mark = line[:3].strip()
            one_line = mark == "$$" and line.count("$$") == 2
            if not fence and not line.startswith("```python"):
                seconds += FORMULA_S if mark == "$$" else FIGURE_S
            fence = "" if fence or one_line else line.strip()
        elif fence:
            seconds += LINE_S if fence == "```python" and line.strip() else 0
        elif line.startswith("    ") and line.strip():
            seconds += FORMULA_S / 2
        else:
            seconds += FIGURE_S if line.startswith("|") and not table else 0
            words += len(line.split())
        table = line.startswith("|")
    seconds += CHECK_S * len(re.findall(r"^\*\*(?:Check|Discuss)\.\*\*|^## Check yourself$", body, re.MULTILINE))
    return max(round(words / WORDS_A_MINUTE + seconds / 60), 1)


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
