"""`tlcourse author`: for those who write a course."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.exercise import find_in
from tlcourse.cli.options import CourseFolder, Json, Plain, Threads

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.proof import Proof

app = typer.Typer(help="Write a course, and check it.", no_args_is_help=True, rich_markup_mode=None)


@app.command("check")
def check(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A course; default: the bundled one.")] = None,
    exercises: Annotated[
        bool, typer.Option("--exercises", help="Grade starters, references and wrong solutions too (minutes).")
    ] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Seeds with which a reference must pass.")] = 5,
    only: Annotated[str | None, typer.Option("--only", metavar="EXERCISE", help="Only this exercise.")] = None,
    threads: Threads = 2,
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
    proofs: list[Proof] = []
    if exercises and not problems:
        chosen = [find_in(loaded, only)] if only else list(loaded.exercises.values())
        proofs = [proof for exercise in chosen for proof in _proofs(exercise, seeds, threads)]
        problems = [
            f"{proof.exercise}: {proof.solution} with seed {proof.seed} ended as `{proof.found}`, "
            f"expected `{proof.expected}`"
            for proof in proofs
            if not proof.holds
        ]
    if json:
        out.document({"schema": 1, "problems": problems, **counts, "proofs": proofs})
    else:
        for problem in problems:
            out.say(problem)
        if not problems:
            out.say("No problem in " + ", ".join(f"{number} {name}" for name, number in counts.items()) + ".")
    if problems:
        out.note(f"tlcourse: {len(problems)} problem(s).")
        raise typer.Exit(ExitCode.USAGE)


@app.command("notebooks")
def notebooks(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A course; default: the bundled one.")] = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Write starter.ipynb beside each starter.py, made from it."""
    from tlcourse.course.loader import load_course
    from tlcourse.course.notebook import write_starter_notebook

    made = [
        str(write_starter_notebook(exercise.about.id, exercise.about.title, exercise.folder))
        for exercise in load_course(folder).exercises.values()
    ]
    if json:
        out.document({"schema": 1, "notebooks": made})
        return
    for path in made:
        out.say(path)


def _proofs(exercise: LoadedExercise, seeds: int, threads: int) -> Iterator[Proof]:
    """Proofs as they come, each with a line on stderr: the whole takes minutes."""
    from tlcourse.grading.grade import Options
    from tlcourse.grading.proof import prove

    for proof in prove(exercise, Options(variant="mini", device="cpu", threads=threads), seeds):
        mark = "holds" if proof.holds else "FAILS"
        values = "  ".join(f"{name} {value:.4g}" for name, value in proof.values.items())
        out.note(f"{mark}  {proof.exercise}  {proof.solution:<32} {proof.seconds:6.1f} s  {proof.found}  {values}")
        yield proof
