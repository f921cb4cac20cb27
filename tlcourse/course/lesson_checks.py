"""What a lesson looks like on a terminal of 80 columns: nothing too wide, no raw formula marks, no broken link."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from tlcourse.course import markdown
from tlcourse.course.model import LoadedCourse
from tlcourse.located import at

WIDTH = 76
"""What is left of 80 columns inside the margins of a listing."""
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_INLINE_CODE = re.compile(r"`[^`]*`")


def problems_of_lessons(course: LoadedCourse) -> Iterator[str]:
    """Every such problem of a course, as `file:line: what, and what was expected`."""
    places = {
        name: {markdown.slug(text) for _, text in markdown.headings(lesson.body)}
        for name, lesson in course.lessons.items()
    }
    for unit in course.about.units:
        if unit.lesson is None or unit.id not in course.lessons:
            continue
        path = course.folder / unit.lesson
        for number, line, listed in _lines(path.read_text(encoding="utf-8")):
            for problem in _problems(line, listed, unit.id, places):
                yield f"{path}:{number}: {problem}"
        promised = len(unit.objectives)
        said = _promises(course.lessons[unit.id].body)
        if said not in (0, promised):
            where = at(course.folder / "course.yaml", unit.id)
            yield f"{where}: unit `{unit.id}` has {promised} objectives and its lesson names {said}, expected as many"


def _lines(text: str) -> Iterator[tuple[int, str, bool]]:
    """Number, text, and whether it is shown as it stands, of each line after the front matter."""
    fenced = False
    head = text.startswith("---\n")
    for number, line in enumerate(text.splitlines(), start=1):
        if head:
            head = number == 1 or line != "---"
        elif line.startswith(("```", "~~~")):
            fenced = not fenced
        else:
            yield number, line, fenced or line.startswith("    ")


def _problems(line: str, listed: bool, unit: str, places: dict[str, set[str]]) -> Iterator[str]:
    if listed:
        if (width := _width(line)) > WIDTH:
            yield f"a line of {width} columns, expected at most {WIDTH} where the layout is kept"
        return
    prose = _INLINE_CODE.sub("", line)
    if "$" in prose:
        yield "a raw `$`, expected the formula in Unicode, or code marks around it"
    longest = max((_width(word) for word in line.split()), default=0)
    if longest > WIDTH:
        yield f"a word of {longest} columns, expected at most {WIDTH}"
    for target in _LINK.findall(prose):
        if not _leads(target, unit, places):
            yield f"the link `{target}` leads nowhere, expected unit, unit#heading, #heading or a web address"


def _leads(target: str, unit: str, places: dict[str, set[str]]) -> bool:
    if target.startswith(("https://", "http://", "mailto:")):
        return True
    name, _, section = target.partition("#")
    name = name or unit
    return name in places and (not section or section in places[name])


def _promises(body: str) -> int:
    """How many things the list at the beginning promises; 0 where there is no such list."""
    first = body.partition("\n## ")[0]
    return sum(line.startswith("- ") for line in first.splitlines()) if "you can" in first else 0


def _width(text: str) -> int:
    """Columns on a terminal: combining marks take none, wide characters two."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
