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
    from tlcourse.student.overview import lines, overview
    from tlcourse.student.overview import markdown as as_markdown
    from tlcourse.student.record import Record, now
    from tlcourse.student.review import weak_objectives

    loaded = load_course(course)
    with Record.open() as record:
        if record.notice:
            out.note(record.notice)
        state = overview(loaded, record)
        weak = weak_objectives(loaded, record, now())
    if json:
        out.document({"schema": 1, "overview": state, "next": state.next, "weak": weak})
    elif markdown:
        out.say(as_markdown(state).rstrip("\n"))
        if weak:
            out.say("\n## Weak objectives, the weakest first\n")
        for goal in weak:
            out.say(f"- {goal.text} (remembered with {goal.recall:.0%}, unit {goal.unit})")
    else:
        for line in lines(state):
            out.say(line)
        for goal in weak:
            out.say(f"Weak ({goal.recall:.0%}): {goal.text}: tlcourse lesson show {goal.unit}")
