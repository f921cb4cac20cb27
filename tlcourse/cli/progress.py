"""`tlcourse progress`: the student's own record."""

from __future__ import annotations

from typing import Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain


def progress(
    course: CourseFolder = None,
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown, to keep or hand in.")] = False,
    plain: Plain = False,
) -> None:
    """What was read, answered and passed."""
    from tlcourse.course.loader import load_course
    from tlcourse.progress import Progress

    loaded = load_course(course)
    with Progress.open() as record:
        if json:
            out.document(record.as_document(loaded))
        elif markdown:
            out.say(record.as_markdown(loaded))
        else:
            for line in record.as_lines(loaded):
                out.say(line)
