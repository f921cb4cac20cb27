"""`tlcourse author`: for those who write a course."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import github, gradescope, out
from tlcourse.cli.options import CourseFolder, Json, Plain, TrustCourse, agree_to
from tlcourse.errors import ExitCode, UsageError
from tlcourse.text import counted, typed

if TYPE_CHECKING:
    from tlcourse.course.coverage import Row, Slide
    from tlcourse.course.model import LoadedCourse, LoadedExercise
    from tlcourse.course.write_it import WriteIt
    from tlcourse.grading.solutions_check import ReferenceCheck

app = typer.Typer(help="Write a course, and check it.", no_args_is_help=True, rich_markup_mode=None)
app.command("gradescope")(gradescope.gradescope)
app.command("ci")(github.ci)
app.command("gradescope-grade", hidden=True)(gradescope.gradescope_grade)


@app.command("new")
def new(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Where; it is made, or empty. With --like also a course that is there."),
    ],
    title: Annotated[str, typer.Option("--title", help="What the course is called.")] = "A new course",
    like: Annotated[
        str | None,
        typer.Option("--like", metavar="KIND", help="Of this kind: model, functions, predictions, report or sequence."),
    ] = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Make a small course that works, to be changed into your own: a lesson, a quiz, an exercise with its grader.

    With --like its exercise is of another kind; in a course that is there, one is added.
    """
    from tlcourse.course.author import add_exercise, new_course
    from tlcourse.paths import document

    if like is not None and (folder / "course.yaml").is_file():
        written = [str(path) for path in add_exercise(folder, like)]
    else:
        written = [str(path) for path in new_course(folder, title, like or "model")]
    if json:
        out.document({"schema": 1, "course": str(folder), "written": written})
        return
    for path in written:
        out.say(path)
    if not plain:
        out.say(f"Check it:  tlcourse author check {typed(str(folder))} --exercises")
        out.say(f"Open it:   tlcourse start --course {typed(str(folder))}")
        out.say(f"Change it: {document('authoring.md')} walks through every file.")


@app.command("check")
def check(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="A course, whose graders run as you; default: the bundled one."),
    ] = None,
    exercises: Annotated[
        bool, typer.Option("--exercises", help="Grade starters, references and wrong solutions too (minutes).")
    ] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Seeds with which a reference must pass.")] = 5,
    only: Annotated[
        str | None, typer.Option("--only", metavar="EXERCISE", help="Only this exercise or method.")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, max=256, help="Torch threads of one grading.")] = 1,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Gradings side by side (default: one a core).")
    ] = None,
    covered: Annotated[
        bool, typer.Option("--coverage", help="Where each objective and each slide is taught, asked and practised.")
    ] = False,
    course: CourseFolder = None,
    trust_course: TrustCourse = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Every problem of a course, as `file:line: what, and what was expected`.

    Beyond what no course may have: lessons wider than a terminal of 80 columns, figures and formulas that cannot be
    drawn, links that lead nowhere; objectives that no question asks about; questions asked twice; limits that a busy
    machine meets.
    """
    from tlcourse.course.checks import lost_places, problems_of_lessons, unfair_limits
    from tlcourse.course.coverage import coverage, misplaced, slides, uncovered
    from tlcourse.course.loader import load_course
    from tlcourse.errors import ContentError
    from tlcourse.grading.author_check import problems_of_graders
    from tlcourse.presenting.lesson import problems_of_drawings

    agree_to(folder or course, trust_course)
    problems: list[str] = []
    counts: dict[str, int] = {}
    rows: list[Row] = []
    topics: list[Slide] = []
    try:
        loaded = load_course(folder or course)
        problems = [
            *problems_of_lessons(loaded),
            *problems_of_drawings(loaded),
            *uncovered(loaded),
            *misplaced(loaded),
            *unfair_limits(loaded),
            *lost_places(loaded),
            *problems_of_graders(loaded),
            *(f"{loaded.folder}:1: {leak}" for leak in _leaks(folder or course)),
        ]
        rows, topics = (coverage(loaded), slides(loaded)) if covered else ([], [])
        counts = {
            "units": len(loaded.about.units),
            "lessons": len(loaded.lessons),
            "quizzes": len(loaded.quizzes),
            "questions": sum(len(quiz.questions) for quiz in loaded.quizzes.values()),
            "exercises": len(loaded.exercises),
            "methods": len(loaded.write_its),
        }
    except ContentError as error:
        problems = error.problems
    references: list[ReferenceCheck] = []
    if exercises and not problems:
        written = [one for name, one in loaded.write_its.items() if only in (None, name)]
        problems = list(_problems_of_written(loaded, folder or course, written))
    if exercises and not problems and only not in loaded.write_its:
        chosen = [loaded.exercise(only)] if only else list(loaded.exercises.values())
        references = list(_reference_checks(chosen, seeds, threads, workers))
        problems = [
            f"{check.exercise}: {check.solution} with seed {check.seed} ended as `{check.found}`, "
            f"expected `{check.expected}`"
            for check in references
            if not check.holds
        ]
    if json:
        shown = {"coverage": rows, "slides": topics} if covered else {}
        out.document({"schema": 1, "problems": problems, **counts, "references": references, **shown})
    else:
        for line in _table(rows, plain=plain):
            out.say(line)
        for topic in topics:
            out.say(f"slide: {topic.slide}: {', '.join(topic.places)}")
        for problem in problems:
            out.say(f"problem: {problem}" if plain else problem)
        if plain:
            for name, number in counts.items():
                out.say(f"{name}: {number}")
        elif not problems:
            one = {name: "quiz" if name == "quizzes" else name.removesuffix("s") for name in counts}
            said = ", ".join(counted(number, one[name], name) for name, number in counts.items())
            out.say(f"No problem in {said}.")
    if problems:
        out.note(f"tlcourse: {len(problems)} problem(s).")
        raise typer.Exit(ExitCode.USAGE)


def _problems_of_written(loaded: LoadedCourse, course: Path | None, chosen: Sequence[WriteIt]) -> Iterator[str]:
    """What skeletons, references and wrong twins show to be wrong with the checks of methods to write."""
    from tlcourse.course.write_it import folder_of
    from tlcourse.grading.write_it import problems_with, sandbox_for_many
    from tlcourse.paths import graders_folder

    sandbox = sandbox_for_many() if chosen else None
    for one in chosen:
        assert sandbox is not None
        found = list(problems_with(sandbox, folder_of(loaded, one), graders_folder(course), one))
        out.note(f"{'FAILS' if found else 'holds'}  write/{one.id}")
        yield from found


@app.command("import")
def import_(
    assignment: Annotated[
        Path, typer.Argument(metavar="ASSIGNMENT", help="A notebook of Otter-Grader or nbgrader, with its solutions.")
    ],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A course, or where one is made; default: a new one here.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Of the exercise; default: that of the notebook.")] = "",
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Make an exercise of an assignment: starter, reference, tests with their points, and what people mark.

    What cannot be carried is listed, cell by cell, with what to do about it. Tests run in the sandbox alone.
    """
    from tlcourse.grading.assignments.written import import_assignment

    made = import_assignment(assignment, folder or Path(assignment.stem), name)
    if json:
        out.document({"schema": 1, "import": made})
        return
    for path in made.written:
        out.say(f"written: {path}" if plain else path)
    out.say(f"{made.format}: {made.points:g} points, {made.by_tests:g} by tests and {made.by_hand:g} by people.")
    for note in made.notes:
        out.say(f"not carried: {note}" if plain else note)
    if not plain:
        out.note(f"Check it:  tlcourse author check {typed(made.course)} --exercises --only {made.exercise}")


def _leaks(folder: Path | None) -> Iterator[str]:
    """What students would get of the hidden side of a course in a folder of its own."""
    from tlcourse.course.hand_out import leaks, travelling

    if folder is not None:
        yield from leaks(folder, travelling(folder))


@app.command("hand-out")
def hand_out(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A course of yours.")],
    into: Annotated[Path, typer.Argument(metavar="OUT", help="Where students' copy goes; it is made, or it is empty.")],
    trust_course: TrustCourse = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Make the copy of a course that students get: without references, wrong solutions and hidden data.

    It is compared with what stays: the same files, programs and items of data, and your secret. Where something of it
    is in the copy, it ends with 2 and says what.
    """
    from tlcourse.course import trust
    from tlcourse.course.hand_out import hand_out, leaks
    from tlcourse.grading.grade import PUBLIC_SEED
    from tlcourse.grading.grader import write_practice

    agree_to(folder, trust_course)
    made = hand_out(folder, into)
    made.written.extend(write_practice(folder, into, PUBLIC_SEED))
    if trust.is_agreed(folder):  # for good, and not for this command alone
        trust.agree_if_kept(into)  # its programs are those that were agreed to
    problems = list(leaks(folder, {name: into / name for name in made.written}))
    if json:
        what = {"written": made.written, "left_out": made.left_out, "problems": problems}
        out.document({"schema": 1, "copy": str(into), **what})
    else:
        for name in made.written:
            out.say(f"written: {name}" if plain else name)
        for name in made.left_out:
            out.say(f"left out: {name}")
        for problem in problems:
            out.say(f"problem: {problem}")
        if not problems and not plain:
            out.say(f"Nothing of what stays with you is in {into}. As students have it: tlcourse author check {into}")
    if problems:
        out.note(f"tlcourse: {len(problems)} problem(s): do not hand out {into}.")
        raise typer.Exit(ExitCode.USAGE)


@app.command("notebooks")
def notebooks(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A course; default: the bundled one.")] = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Write starter.ipynb beside each starter.py, made from it."""
    from tlcourse.course.author import write_starter_notebooks
    from tlcourse.course.loader import load_course

    made = [str(path) for path in write_starter_notebooks(load_course(folder))]
    if json:
        out.document({"schema": 1, "notebooks": made})
        return
    for path in made:
        out.say(f"written: {path}" if plain else path)


@app.command("schema")
def schema(
    kind: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="course, lesson, quiz, exercise, lab, write or figure.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The reference page in place of JSON Schema.")] = False,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Write it there; without FILE all of them.")
    ] = None,
    vscode: Annotated[
        Path | None,
        typer.Option("--vscode", metavar="COURSE", help="Write all there, with settings and a task for VS Code."),
    ] = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """What the files of a course may hold, field by field: as JSON Schema for editors, or as a page to read."""
    from tlcourse.course import reference

    if vscode is not None:
        made = list(reference.for_vscode(vscode))
        if None in made:
            out.note("A file of .vscode is there, cannot be read as plain JSON, and was left as it is.")
        to, written = vscode, [str(path) for path in made if path is not None]
    elif to is not None:
        names = [kind] if kind else list(reference.PAGES)
        written = [str(path) for path in reference.write(to, names, markdown=markdown)]
    if to is None:
        if kind is None:
            known = ", ".join(reference.PAGES)
            raise UsageError("Of which file?", remedy=f"one of: {known}; or --to DIR, which writes all of them.")
        if markdown and not json:
            out.say(reference.markdown_page(kind).rstrip())
        else:
            out.document({"schema": 1, "page": reference.markdown_page(kind)} if markdown else reference.schema(kind))
        return
    if json:
        out.document({"schema": 1, "written": written})
        return
    for path in written:
        out.say(f"written: {path}" if plain else path)


def _table(rows: list[Row], *, plain: bool) -> Iterator[str]:
    """One line for each objective: unit, objective, questions, exercises and labs, and the sections that teach it."""
    if rows and not plain:
        yield f"{'unit':<27}{'objective':<27}{'questions':>9}{'judging':>9}  {'practised in':<24} sections"
    for row in rows:
        sections = ", ".join(section.removeprefix(f"{row.unit}#") for section in row.sections) or "none"
        practice = ", ".join([*row.exercises, *row.methods, *row.labs]) or "-"
        if plain:
            counts = f"questions {row.questions}, judging {row.judging}"
            yield f"objective: {row.unit}: {row.objective}: {counts}: {practice}: {sections}"
            continue
        yield f"{row.unit:<27}{row.objective:<27}{row.questions:>9}{row.judging:>9}  {practice:<24} {sections}"


def _reference_checks(
    exercises: Sequence[LoadedExercise], seeds: int, threads: int, workers: int | None
) -> Iterator[ReferenceCheck]:
    """Checks as they come, each with a line on stderr: the whole takes minutes."""
    from tlcourse.execution.pool import cores
    from tlcourse.grading.grade import Options
    from tlcourse.grading.solutions_check import check_references

    side_by_side = workers or max(cores() // threads, 1)
    for check in check_references(
        exercises, Options(variant="mini", device="cpu", threads=threads), seeds, side_by_side
    ):
        mark = "holds" if check.holds else "FAILS"
        values = "  ".join(f"{name} {value:.4g}" for name, value in check.values.items())
        out.note(f"{mark}  {check.exercise}  {check.solution:<32} {check.seconds:6.1f} s  {check.found}  {values}")
        yield check
