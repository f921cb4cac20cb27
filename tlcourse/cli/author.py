"""`tlcourse author`: for those who write a course."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain

app = typer.Typer(help="Write a course, and check it.", no_args_is_help=True, rich_markup_mode=None)


@app.command("check")
def check(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A course; default: the bundled one.")] = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Every problem of a course, as `file:line: what, and what was expected`."""
    from tlcourse.course.loader import load_course
    from tlcourse.errors import ContentError, ExitCode
    from tlcourse.grading.grader import problems_of_graders

    problems: list[str] = []
    counts: dict[str, int] = {}
    try:
        loaded = load_course(folder or course)
        problems = problems_of_graders(loaded)
        counts = {
            "units": len(loaded.about.units),
            "lessons": len(loaded.lessons),
            "quizzes": len(loaded.quizzes),
            "questions": sum(len(quiz.questions) for quiz in loaded.quizzes.values()),
            "exercises": len(loaded.exercises),
        }
    except ContentError as error:
        problems = error.problems
    if json:
        out.document({"schema": 1, "problems": problems, **counts})
    else:
        for problem in problems:
            out.say(problem)
        if not problems:
            out.say("No problem in " + ", ".join(f"{number} {name}" for name, number in counts.items()) + ".")
    if problems:
        out.note(f"tlcourse: {len(problems)} problem(s).")
        raise typer.Exit(ExitCode.USAGE)
