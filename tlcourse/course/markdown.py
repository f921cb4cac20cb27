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
