"""`tlcourse exercise` and `init`: what is to be solved, samples, hints, explanations, and a file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out, samples
from tlcourse.cli.lesson import show_markdown
from tlcourse.cli.options import CourseFolder, ExerciseName, Json, Plain
from tlcourse.cli.own_record import own_record
from tlcourse.errors import ExitCode, UnableError, UsageError
from tlcourse.text import counted, typed

if TYPE_CHECKING:
    pass

app = typer.Typer(help="The exercises and their hints.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_exercises(course: CourseFolder = None, json: Json = False, plain: Plain = False) -> None:
    """All exercises of the course."""
    from tlcourse.course.loader import load_course

    exercises = [exercise.about for exercise in load_course(course).exercises.values()]
    if json:
        rows = [
            {"id": about.id, "title": about.title, "summary": about.summary, "max_points": about.max_points}
            for about in exercises
        ]
        out.document({"schema": 1, "exercises": rows})
        return
    for about in exercises:
        out.say(f"{about.id:<6} {about.max_points:g} points  {about.title}")
        if not plain:
            out.say(f"       {about.summary}")


@app.command("show")
def show(exercise: ExerciseName, course: CourseFolder = None, json: Json = False, plain: Plain = False) -> None:
    """The handout, the checks and their bars, packages and policy; with --json also where the files lie."""
    from tlcourse.course.deadline import deadline_of
    from tlcourse.course.exercise import packages, packages_in_words, policy_in_words
    from tlcourse.course.loader import load_course
    from tlcourse.presenting.words import due, late_rule, required, time_asked

    loaded = load_course(course)
    found = loaded.exercise(exercise)
    about = found.about
    try:
        deadline = deadline_of(loaded.about, about)
    except UnableError:  # without a list of zones it is said as it was written
        deadline = None
    if json:
        out.document(
            {
                "schema": 1,
                "exercise": about,
                "deadline": deadline,
                "max_points": about.max_points,
                "handout": str(found.folder / "handout.md"),
                "starter": str(starter) if (starter := found.folder / "starter.py").is_file() else None,
                "hints": len(found.hints),
                "grader": found.grader and str(found.grader),
                "reference": str(found.reference) if found.reference and found.reference.is_file() else None,
                "packages": list(packages(about)),
                "policy": list(policy_in_words(about)),
            }
        )
        return
    show_markdown((found.folder / "handout.md").read_text(encoding="utf-8"), plain=plain, folder=found.folder)
    if deadline is not None:
        out.say(f"Due: {due(deadline)}\n  when late: {late_rule(deadline.late)}")
    elif about.due:
        out.say(f"Due: {about.due}")
    out.say("Checks:")
    for check in about.checks:
        out.say(f"  {check.title}: {required(check)}  ({check.points:g} points)")
    if about.manual:
        out.say("Marked by hand:")
    for item in about.manual:
        rubric = f": {item.rubric.strip()}" if item.rubric.strip() else ""
        out.say(f"  {item.title}{rubric}  ({item.max_points:g} points{', on top' * item.bonus})")
    out.say("Packages that a grading has:")
    out.say(f"  {packages_in_words(about)}")
    if about.model:
        out.say(
            f"Time for fit: {time_asked(about.seconds, about.limits.cpu_s)}, of a reference machine with 2 threads."
        )
    if (part := about.functions) is not None:
        out.say(f"To be written: {', '.join(part.defines)}; a call may take {part.call_s:g} s and {part.call_mb} MB.")
    if not about.model:
        return
    out.say("How chance is dealt with:")
    for sentence in policy_in_words(about):
        out.say(f"  {sentence}")


@app.command("hint")
def hint(
    exercise: ExerciseName,
    number: Annotated[int, typer.Argument(min=1, help="1 is a nudge, the last is nearly the recipe.")] = 1,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """One hint; they become more outspoken."""
    from tlcourse.course.loader import load_course

    found = load_course(course).exercise(exercise)
    if number > (count := len(found.hints)):
        last = f"tlcourse exercise hint {exercise} {count}"
        raise UsageError(
            f"{exercise} has {counted(count, 'hint')}.", remedy=last if count else f"tlcourse exercise show {exercise}"
        )
    text = found.hints[number - 1]
    if json:
        out.document({"schema": 1, "exercise": found.about.id, "number": number, "of": len(found.hints), "hint": text})
        return
    show_markdown(text, plain=plain)
    if not plain and number < len(found.hints):
        out.note(f"\nMore: tlcourse exercise hint {exercise} {number + 1}")


@app.command("explain")
def explain(exercise: ExerciseName, course: CourseFolder = None, json: Json = False, plain: Plain = False) -> None:
    """Once you have passed: why the reference solution does what it does, and its source."""
    from tlcourse.course.exercise import explanation
    from tlcourse.course.loader import load_course

    loaded = load_course(course)
    found = loaded.exercise(exercise)
    with own_record() as record:
        passed = record.has_passed(loaded.about.id, found.about.id)
    explained = explanation(found, passed=passed)
    if json:
        out.document(
            {"schema": 1, "exercise": found.about.id, "explanation": explained.text, "reference": explained.reference}
        )
        return
    show_markdown(explained.page, plain=plain)


@app.command("attempts")
def attempts(
    exercise: ExerciseName,
    diff: Annotated[bool, typer.Option("--diff", help="Also what changed in the code, line by line.")] = False,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Your gradings so far, and what changed since the one before: in the code, and in each check."""
    from tlcourse.course.loader import load_course
    from tlcourse.presenting.attempts import compared, sentences
    from tlcourse.presenting.verdict import outcome
    from tlcourse.presenting.words import points

    loaded = load_course(course)
    found = loaded.exercise(exercise)
    with own_record() as record:
        kept = record.attempts(loaded.about.id, found.about.id)
        since = compared(kept, record.codes(loaded.about.id, found.about.id))
    if json:
        rows = [
            {"at": one.at, "outcome": one.outcome, "points": one.points, "max_points": one.max_points, "path": one.path}
            for one in kept
        ]
        out.document({"schema": 1, "exercise": found.about.id, "attempts": rows, "since_last": since})
        return
    if not kept:
        out.say(f"{exercise} was not graded yet: tlcourse grade {exercise}")
    for one in kept:
        words = outcome(one.outcome)
        out.say(f"{one.at}  {words.word if plain else words.short:<16}{points(one.points, one.max_points)}")
    if since is not None:
        for said in sentences(since):
            out.say(said)
        if diff and since.diff:
            out.say(f"\n{since.diff}")
        elif since.diff and not plain:
            out.note(f"\nThe changes: tlcourse exercise attempts {exercise} --diff")


@app.command("board")
def board(
    exercise: ExerciseName,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The board that you were given; kept for later.")
    ] = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """The places of a class without names, by validation items, and where your own last grading would stand."""
    from tlcourse.course.loader import load_course
    from tlcourse.presenting.board import (
        board_lines,
        keep_board,
        kept_board,
        own_in_words,
        own_place,
        read_board,
        what_it_is,
        why_none,
    )

    loaded = load_course(course)
    found = loaded.exercise(exercise)
    name = found.about.id
    if file is not None:
        shown = read_board(file, name)
        keep_board(shown, loaded.about.id)
    elif (kept := kept_board(loaded.about.id, found)) is not None:
        shown, file = kept
    elif not found.about.board:
        raise UsageError(
            f"There is no board of {name}.",
            cause=why_none(found),
            remedy=f"tlcourse exercise attempts {name} shows how your own gradings went.",
        )
    else:
        raise UsageError(
            f"There is no board of {name} here.",
            cause="the course's staff hand one out, or publish it beside the course, if they want one.",
            remedy=f"tlcourse exercise board {name} FILE, with the file that you were given.",
        )
    with own_record() as record:
        own = own_place(shown, [one.result for one in record.attempts(loaded.about.id, name)])
    if json:
        out.document({"schema": 1, "file": str(file), "board": shown, "own": own})
        return
    for text in board_lines(shown, own):
        out.say(text)
    out.say()
    for text in own_in_words(shown, own):
        out.say(text)
    if not plain:
        for text in what_it_is(shown):
            out.note(text)


def init(
    exercise: ExerciseName,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where; default: a folder named like the exercise.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Begin again; the old solution is kept as a backup.")] = False,
    notebook: Annotated[bool, typer.Option("--notebook", help="A solution.ipynb instead of a solution.py.")] = False,
    vscode: Annotated[
        bool, typer.Option("--vscode", help="A task for VS Code, too: it grades, and marks what to fix.")
    ] = False,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Make a solution.py (or a notebook) to start from; it ends with 3 where packages of the exercise are missing."""
    from tlcourse.course.exercise import begin, begin_tasks, name_course, require_promised
    from tlcourse.course.loader import load_course
    from tlcourse.course.packages import missing

    found = load_course(course).exercise(exercise)
    there = (folder or Path(found.about.id)) / f"solution{'.ipynb' if notebook else '.py'}"
    if course is not None and not force and there.is_file() and name_course(there, course):
        tasks = begin_tasks(found.about.id, there, course) if vscode else None
        if json:
            made = {"file": str(there), "course": str(course), "tasks": tasks and str(tasks)}
            out.document({"schema": 1, "exercise": found.about.id, **made})
            return
        out.say(f"{there} names the course in {course} now; nothing else of it was changed.")
        _say_tasks(tasks, vscode)
        return
    target, backup = begin(found, folder, notebook=notebook, again=force, course=course)
    tasks = begin_tasks(found.about.id, target, course) if vscode else None
    if json:
        made = {"file": str(target), "backup": backup and str(backup), "tasks": tasks and str(tasks)}
        lacking = missing(found.about.packages)
        given = {"data": found.data.public and str(found.data.public), "missing_packages": lacking}
        out.document({"schema": 1, "exercise": found.about.id, **made, **given})
        if lacking:
            raise typer.Exit(ExitCode.UNABLE)
        return
    out.say(f"Made {target}." + (f" The old one is {backup}." if backup else ""))
    _say_tasks(tasks, vscode)
    if found.data.public:
        out.say(f"Its data lie in {found.data.public}: task.data in a solution.")
    require_promised(found.about)
    if not plain:
        out.say(f"Read what is asked: tlcourse exercise show {exercise}")
        out.say(f"Edit it, then:      tlcourse grade {exercise} {typed(str(target))}")


def _say_tasks(tasks: Path | None, wanted: bool) -> None:
    if tasks is not None:
        out.say(f"Made {tasks}: in VS Code, Run Task.")
    elif wanted:
        out.note(".vscode/tasks.json is there, cannot be read as plain JSON, and was left as it is.")


app.command("samples")(samples.samples)
