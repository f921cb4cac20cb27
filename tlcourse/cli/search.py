"""`tlcourse search`: where the course says something."""

from __future__ import annotations

from typing import Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain


def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS…", help="Words, or their beginnings.")],
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Search lessons, questions, labs and exercises."""
    from tlcourse.course.lab import load_labs
    from tlcourse.course.loader import load_course
    from tlcourse.course.search import Index

    loaded = load_course(course)
    labs = load_labs(loaded.folder, [unit.id for unit in loaded.about.units])
    wanted = " ".join(words)
    hits = Index(loaded, labs).find(wanted)
    if json:
        out.document({"schema": 1, "words": wanted, "hits": hits})
        return
    for hit in hits:
        out.say(f"{hit.kind}: {hit.title}")
        if not plain:
            out.say(f"    {hit.snippet}")
        out.say(f"    {hit.command}")
    if not hits:
        out.say("Nothing has all these words. Fewer words, or the beginning of one, find more.")
