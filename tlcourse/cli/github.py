"""A verdict where a repository is graded on push: notes at lines, a summary and outputs, as GitHub's runners take them.

What a student's code prints could be taken for a command of the runner. While anything of theirs is printed the runner
is told to take none, until a word comes that nobody can guess.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.errors import TlcourseError
    from tlcourse.grading.result import Result
    from tlcourse.presenting.verdict import Problem

SUMMARY, OUTPUT, WORKSPACE = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_WORKSPACE"
_NOTES = 10
"""GitHub shows so many of a step."""


@contextlib.contextmanager
def taking_no_commands() -> Iterator[None]:
    """The runner takes nothing that is printed meanwhile for a command of its own; all of it goes to one stream."""
    word = secrets.token_hex(16)
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)  # one pipe: of two the runner may read one after the other, and so after the word that ends it
    out.note(f"::stop-commands::{word}")
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stdout.flush()
        out.note(f"\n::{word}::")
        sys.stderr.flush()
        os.dup2(own, 1)
        os.close(own)


def on_github(name: str, grade: Callable[[], tuple[LoadedExercise, Result]]) -> Result:
    """Grade, and tell the runner what came of it. An error is told, too; then the command ends with its status."""
    from tlcourse.errors import TlcourseError

    failed = None
    with taking_no_commands():
        try:
            exercise, result = grade()
        except TlcourseError as error:  # its words may name files of the repository
            out.complain(error)
            failed = error
    if failed is not None:
        out.note(f"::error title=tlcourse::{_data(' '.join(failed.lines()))}")
        _append(SUMMARY, "\n".join(summary_of_error(name, failed)) + "\n\n")
        raise typer.Exit(failed.exit_code)
    _tell(exercise, result)
    return result


def _tell(exercise: LoadedExercise, result: Result) -> None:
    from tlcourse.presenting.verdict import problems

    for one in problems(result)[:_NOTES]:
        out.note(note_at(one))
    if result.outcome == "infra":
        out.note(f"::warning title=tlcourse::{_data('Grader fault: not your mistake, and nothing is counted.')}")
    _append(SUMMARY, "\n".join(summary(exercise, result)) + "\n\n")
    facts = {
        "outcome": result.outcome,
        "passed": str(result.outcome == "pass").lower(),
        "points": f"{result.points:g}",
        "max_points": f"{result.max_points:g}",
    }
    name = exercise.about.id  # a step may grade several
    _append(OUTPUT, "".join(f"{name}-{key}={value}\n" for key, value in facts.items()))


def summary_of_error(name: str, error: TlcourseError) -> Iterator[str]:
    """What could not be graded, and why, as Markdown."""
    from tlcourse.text import markdown

    yield f"## {markdown(name)}: not graded\n"
    yield from (f"- {markdown(one, 1000)}" for one in error.lines())


def note_at(one: Problem) -> str:
    """`::error file=ex2/solution.py,line=7,title=CRASH::ValueError in fit: …`"""
    path = one.path.absolute()
    root = Path(os.environ.get(WORKSPACE) or ".").absolute()
    if path.is_relative_to(root):
        path = path.relative_to(root)
    return f"::error file={_property(str(path))},line={one.line},title={_property(one.title)}::{_data(one.message)}"


def _data(text: str) -> str:
    """A message of a command; no text ends it, or begins another one."""
    from tlcourse.text import harmless

    escaped = harmless(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.encode("utf-8", "replace").decode()


def _property(text: str) -> str:
    """A property of a command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(exercise: LoadedExercise, result: Result) -> Iterator[str]:
    """The verdict as Markdown, line by line; nothing that a student or a file is called is Markdown of its own."""
    from tlcourse.presenting.verdict import OUTCOMES, check, run
    from tlcourse.presenting.words import points
    from tlcourse.text import cut, markdown, markdown_block

    words = OUTCOMES[result.outcome]
    about = exercise.about
    yield f"## {words.mark} {markdown(about.id)}, {markdown(about.title)}: {markdown(words.full)}"
    yield f"\n**{points(result.points, result.max_points)}**\n"
    if result.checks:
        yield "| | check | measured | points |"
        yield "|---|---|---|---|"
        for one in map(check, result.checks):
            said = ". ".join(markdown(part) for part in (one.measured, one.advice) if part)
            yield f"| {one.mark} {one.word} | {markdown(one.title)} | {said} | {one.points.removesuffix(' points')} |"
        yield ""
    yield from (f"- {markdown(message)}" for message in result.messages)
    if result.problem:
        yield f"\nIts traceback:\n\n{markdown_block(cut(result.problem, 5000))}\n"
    yield from (f"- {markdown(run(record))}" for record in result.runs)


def _append(variable: str, text: str) -> None:
    """To the file that the runner names; elsewhere nobody reads it."""
    if not (named := os.environ.get(variable)):
        return
    try:
        with Path(named).open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
    except OSError as error:
        out.note(f"{variable} names {named}, which cannot be written: {error.strerror}.")


def ci(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The repository that students begin with.")] = Path(),
    install: Annotated[
        str,
        typer.Option("--install", metavar="ADDRESS", help="Install tlcourse from there, and add no wheel of it."),
    ] = "",
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Add to a repository what grades it on every push: a script for any runner, and a workflow for GitHub's.

    It is a self-check with the public seed, as at home: marks come from a batch, whose secret is not in repositories.
    """
    from tlcourse.course.loader import load_course
    from tlcourse.errors import UsageError
    from tlcourse.grading.lms.autograder import own_wheel, pinned, providers, typed_uv
    from tlcourse.text import typed

    loaded = load_course(course)
    source = install or loaded.about.install
    files: list[tuple[Path, bytes, int]] = []
    inside = folder / ".tlcourse"
    if not source:
        name, wheel = own_wheel(with_graders=True)
        files.append((inside / name, wheel, 0o644))
    more = sorted({name for one in loaded.exercises.values() for name in providers(one.about)})
    wanted = " ".join(map(typed, pinned(*more)))
    what = typed(source) if source else f'"$here/{name}"'
    script = _SCRIPT.format(
        uv=typed_uv(),
        wanted=wanted,
        what=what,
        exercises=" ".join(typed(one) for one in loaded.exercises),
        course='--course "$here/course"' if course is not None else "",
    )
    files.append((inside / "grade.sh", script.encode(), 0o755))
    workflow = _WORKFLOW.format(python=f"{sys.version_info.major}.{sys.version_info.minor}")
    files.append((folder / ".github" / "workflows" / "tlcourse.yml", workflow.encode(), 0o644))
    for path, data, mode in files:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(mode)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.", remedy="name another folder.") from None
    written = [str(path) for path, _, _ in files]
    if json:
        out.document({"schema": 1, "written": written})
        return
    for one in written:
        out.say(f"written: {one}" if plain else one)
    if course is not None and not plain:
        out.say(f"Put what students get of the course into {inside / 'course'}: nothing of it is copied there.")


_SCRIPT = """#!/bin/sh
# Grades every exercise that was begun in this repository: on GitHub, on another runner, at home.
# Made by tlcourse author ci. TLCOURSE_VENV names an environment that has tlcourse, or where it is made.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
venv=${{TLCOURSE_VENV:-"$here/venv"}}
if [ ! -x "$venv/bin/tlcourse" ]; then
    [ "$venv" != "$here/venv" ] || printf '%s\\n' venv/ .gitignore >"$here/.gitignore"
    "${{PYTHON:-python3}}" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet {uv}
    "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --torch-backend cpu {wanted} {what}
fi
how=--plain
[ "${{GITHUB_ACTIONS:-}}" != true ] || how=--github
export TLCOURSE_TRUST_COURSE=1
status=0
for exercise in {exercises}; do
    for path in "$exercise/solution.py" "$exercise/solution.ipynb"; do
        [ -f "$path" ] || continue
        "$venv/bin/tlcourse" grade "$exercise" "$path" "$how" {course} || status=$?
        break
    done
done
exit "$status"
"""

_WORKFLOW = """# Made by tlcourse author ci: grades every exercise that was begun, on each push.
name: grade
on: [push, workflow_dispatch]
permissions:
  contents: read
jobs:
  grade:
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@v4.2.2
        with:
          persist-credentials: false
      - uses: actions/setup-python@v5.6.0
        with:
          python-version: "{python}"
      - name: Grade
        id: grade
        run: sh .tlcourse/grade.sh
"""
