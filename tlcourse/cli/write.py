"""`tlcourse write`: the lecture's methods, written by the student from a skeleton and checked in seconds."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.lesson import show_markdown
from tlcourse.cli.options import CourseFolder, Events, Json, Plain, SandboxName
from tlcourse.cli.own_record import own_record
from tlcourse.errors import SubmissionError, TlcourseError, UsageError
from tlcourse.text import counted, typed

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedCourse
    from tlcourse.course.write_it import WriteIt
    from tlcourse.grading.write_it_result import WriteItResult

app = typer.Typer(
    help="Write the lecture's methods yourself; checked in seconds, never for marks.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Such as lora; see: tlcourse write list")]


@app.command("list")
def list_all(course: CourseFolder = None, json: Json = False, plain: Plain = False) -> None:
    """All methods to write, and how far you are with each."""
    from tlcourse.course.loader import load_course
    from tlcourse.student.overview import write_it_states

    loaded = load_course(course)
    with own_record() as record:
        states = write_it_states(loaded, record)
    if json:
        out.document({"schema": 1, "write": [{**_about(loaded.write_its[one.id]), "state": one} for one in states]})
        return
    width = max((len(one.id) for one in states), default=0)
    for one in states:
        about = loaded.write_its[one.id]
        if plain:
            out.say(f"{one.id}: {about.title}: {one.words}")
            continue
        out.say(f"{one.mark} {one.id:<{width}}  {about.title}: {one.words}")
        out.say(f"  {'':<{width}}  {about.summary}")
    if not states:
        out.say("This course has none.")


@app.command("show")
def show(name: Name, course: CourseFolder = None, json: Json = False, plain: Plain = False) -> None:
    """What is to be written, and what is checked."""
    from tlcourse.course.write_it import SKELETON, folder_of, statement

    loaded, one = _found(name, course)
    text = statement(loaded, one)
    if json:
        skeleton = str(folder_of(loaded, one) / SKELETON)
        out.document({"schema": 1, **_about(one), "statement": text, "skeleton": skeleton})
        return
    show_markdown(text, plain=plain)
    out.say("Checks:")
    for title in one.checks.values():
        out.say(f"  {title}")
    if not plain:
        out.say(f"\nThe lesson: tlcourse lesson show {one.unit}")
        out.say(f"Begin: tlcourse write init {one.id}")


@app.command("init")
def init(
    name: Name,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where; default: the folder `write` here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Begin again; the old file is kept as a backup.")] = False,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Make the file NAME.py with the skeleton."""
    from tlcourse.course.write_it import begin

    loaded, one = _found(name, course)
    target, backup = begin(loaded, one, folder, again=force)
    if json:
        out.document({"schema": 1, "write": one.id, "file": str(target), "backup": backup and str(backup)})
        return
    out.say(f"Made {target}." + (f" The old one is {backup}." if backup else ""))
    if not plain:
        out.say(f"Read what is asked:     tlcourse write show {one.id}")
        out.say(f"Fill in each TODO, then: tlcourse write check {one.id} {typed(str(target))}")


@app.command("hint")
def hint(
    name: Name,
    number: Annotated[int, typer.Argument(min=1, help="1 is a nudge, the last is nearly the line.")] = 1,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """One hint; they become more outspoken."""
    _, one = _found(name, course)
    if number > len(one.hints):
        raise UsageError(
            f"{one.id} has {counted(len(one.hints), 'hint')}.",
            remedy=f"tlcourse write hint {one.id} {len(one.hints)}",
        )
    text = one.hints[number - 1]
    if json:
        out.document({"schema": 1, "write": one.id, "number": number, "of": len(one.hints), "hint": text})
        return
    show_markdown(text, plain=plain)
    if not plain and number < len(one.hints):
        out.note(f"\nMore: tlcourse write hint {one.id} {number + 1}")


@app.command("check")
def check(
    name: Name,
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[PATH]", help="A .py or a .ipynb. Without it: NAME.py here, or in the folder `write`."),
    ] = None,
    sandbox_kind: SandboxName = "auto",
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
    events: Events = False,
) -> None:
    """Check what you wrote: each property by itself, with what it means where it fails."""
    from tlcourse.cli.grade import EXIT_CODES
    from tlcourse.course.write_it import usual_file
    from tlcourse.grading.write_it import check as run_checks

    loaded, one = _found(name, course)
    path = path or usual_file(one)
    if path is None:
        raise SubmissionError(
            "No file was named, and none lies here.",
            cause=f"{one.id}.py is neither here nor in write/.",
            remedy=f"name it: tlcourse write check {one.id} PATH – or make one: tlcourse write init {one.id}",
        )
    for stop in ("SIGTERM", "SIGHUP"):  # the app ends us so: the sandbox must end first
        if number := getattr(signal, stop, None):
            signal.signal(number, _interrupt)
    result = run_checks(loaded, one, path, sandbox_kind)
    _record(loaded, one, result)
    if events:
        out.event({"v": 1, "type": "checked", "result": result})
    elif json:
        out.document(result)
    else:
        for line in _lines(one, result, plain=plain):
            out.say(line)
    raise typer.Exit(EXIT_CODES[result.outcome])


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _found(name: str, course: Path | None) -> tuple[LoadedCourse, WriteIt]:
    from tlcourse.course.loader import load_course
    from tlcourse.course.write_it import find

    loaded = load_course(course)
    return loaded, find(loaded, name)


def _about(one: WriteIt) -> dict[str, object]:
    return {
        "id": one.id,
        "title": one.title,
        "unit": one.unit,
        "summary": one.summary,
        "defines": list(one.defines),
        "checks": one.checks,
        "hints": len(one.hints),
    }


def _record(course: LoadedCourse, one: WriteIt, result: WriteItResult) -> None:
    """Keep how far it is; a record that cannot be kept changes nothing about the checks."""
    try:
        with own_record() as record:
            record.record_attempt(course.about.id, result.as_attempt(one.key))
    except TlcourseError as error:
        out.note(f"The checks stand, and were not recorded: {error.what}")


def _lines(one: WriteIt, result: WriteItResult, *, plain: bool) -> Iterator[str]:
    from tlcourse.cli.verdict import COLOURS
    from tlcourse.presenting.write_it import after, check_words, heading

    head = heading(one, result)
    if plain:
        yield f"write: {one.id}"
        yield f"outcome: {head.word}"
        yield f"passed: {result.passed} of {len(result.checks)}"
    else:
        yield f"{one.id}  {one.title}  {out.paint(head.word, COLOURS[head.tone], plain=plain)}  {head.counted}"
    for check in result.checks:
        words = check_words(check)
        if plain:
            yield f"check: {check.id}: {words.word}" + (f": {words.meaning}" if words.meaning else "")
            continue
        yield f"  {out.paint(words.mark, COLOURS[words.tone], plain=plain)} {check.title}"
        yield from (f"      {line}" for line in words.meaning.splitlines())
        yield from (f"      {line}" for line in check.trace.splitlines())
    for message in result.messages:
        yield f"{'message: ' if plain else '  '}{message}"
    if result.problem:
        yield from ("", *(f"  {line}" for line in result.problem.splitlines()))
    if result.log.strip():
        yield from ("", "It printed:", *(f"  {line}" for line in result.log.splitlines()[-12:]))
    if not plain:
        yield from after(one, result)
