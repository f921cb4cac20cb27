"""`tlcourse lesson`, `search` and `progress`: reading without the app, and how far one is."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain
from tlcourse.cli.own_record import own_record
from tlcourse.errors import UsageError
from tlcourse.text import misspelt

if TYPE_CHECKING:
    from rich.segment import Segments

    from tlcourse.course.model import LoadedCourse, Unit
    from tlcourse.presenting.lesson import Placed

app = typer.Typer(help="Read the lessons.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_lessons(course: CourseFolder = None, json: Json = False, plain: Plain = False) -> None:
    """The units in order."""
    from tlcourse.course.loader import load_course

    loaded = load_course(course)
    with own_record() as record:
        read = record.read_units(loaded.about.id)
    units = [
        {
            "id": unit.id,
            "title": unit.title,
            "minutes": loaded.lessons[unit.id].minutes if unit.id in loaded.lessons else None,
            "written": unit.id in loaded.lessons,
            "read": unit.id in read,
            "quizzes": unit.quizzes,
            "exercises": unit.exercises,
        }
        for unit in loaded.about.units
    ]
    if json:
        out.document({"schema": 1, "course": loaded.about.id, "units": units})
        return
    for number, unit in enumerate(units, start=1):
        state = "read" if unit["read"] else f"{unit['minutes']} min" if unit["written"] else "not written yet"
        out.say(f"{number:2}  {unit['id']:<28} {state:>15}  {unit['title']}")
    if not plain:
        out.say("\nRead one with: tlcourse lesson show UNIT")


@app.command("show")
def show(
    unit: Annotated[
        str,
        typer.Argument(
            metavar="UNIT[#SECTION]",
            help="The unit's name or number (see: tlcourse lesson list); of a section, its name as quizzes give it.",
        ),
    ],
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """One lesson, and mark it as read; or one section of it."""
    from tlcourse.course import markdown
    from tlcourse.course.loader import load_course
    from tlcourse.presenting.lesson import placed

    loaded = load_course(course)
    unit, _, wanted = unit.partition("#")
    about = unit_of(loaded, unit)
    name = about.id
    lesson = loaded.lessons[name]
    folder = (loaded.folder / (about.lesson or "")).parent
    with own_record() as record:
        questions = placed(loaded, name, record.seed(loaded.about.id))
        if not wanted:
            record.mark_read(loaded.about.id, name)
    parts = {markdown.slug(heading): (heading, text) for heading, text in markdown.sections(lesson.body)}
    if wanted:
        if wanted not in parts:
            raise UsageError(
                f"The lesson {name} has no section {wanted!r}.",
                cause=misspelt(wanted, parts),
                remedy=f"use one of: {', '.join(parts)}.",
            )
        if json:
            heading, text = parts[wanted]
            out.document({"schema": 1, "id": f"{name}#{wanted}", "title": heading, "text": text})
        else:
            text = "# {}: {}\n\n{}\n".format(lesson.title, *parts[wanted])
            show_markdown(text, plain=plain, folder=folder, questions=questions)
        return
    if json:
        out.document({"schema": 1, "id": name, "objectives": about.objectives, "lesson": lesson})
        return
    text = f"# {lesson.title}\n\n{lesson.body}\n"
    if lesson.references:
        text += "\n## References\n\n" + "\n".join(f"- {reference}" for reference in lesson.references) + "\n"
    show_markdown(text, plain=plain, folder=folder, questions=questions)


def unit_of(course: LoadedCourse, unit: str) -> Unit:
    """The unit of that name or number, whose lesson is written; raises UsageError where there is none."""
    units = course.about.units
    number = int(unit) if unit.isdecimal() and len(unit) < 4 else 0
    name = units[number - 1].id if 0 < number <= len(units) else unit
    about = next((known for known in units if known.id == name), None)
    if about is None:
        raise UsageError(
            f"There is no unit {unit!r}.",
            cause=misspelt(unit, [one.id for one in units]),
            remedy="list them with: tlcourse lesson list",
        )
    if name not in course.lessons:
        raise UsageError(
            f"The lesson of {about.title!r} is not written yet.", remedy="see those that are: tlcourse lesson list"
        )
    return about


def show_markdown(
    text: str, *, plain: bool, folder: Path | None = None, questions: Mapping[str, Placed] | None = None
) -> None:
    """Rendered for a person at a terminal, else as it was written; `folder` has the files of its images."""
    from tlcourse.presenting import lesson

    if plain or not sys.stdout.isatty():
        out.say(lesson.in_words(text, questions))
        return
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.text import Text

    console = Console()
    width = min(console.width, 90)
    for part in lesson.parts(text):
        if part.kind == "prose":
            console.print(Markdown(part.text), width=width)
            continue
        console.print()
        if part.kind == "image" and console.is_terminal and console.encoding.startswith("utf"):
            colour = console.color_system in ("256", "truecolor") and not console.no_color
            for row in _picture(lesson.image_path(folder, part.target), width, colour=colour):
                console.print(row, end="\n", no_wrap=True)
        for line in lesson.drawn(part, width, questions):
            runs = ((run.text, lesson.for_a_terminal(run.style)) for run in line)
            console.print(Text.assemble(*runs), no_wrap=True, overflow="crop")
        console.print()


def _picture(path: Path | None, width: int, *, colour: bool) -> Iterator[Segments]:
    from rich.segment import Segments

    from tlcourse.presenting import images
    from tlcourse.presenting.words import drawing

    columns, rows = images.cells(path, width) if path else (0, 0)
    picture = images.image(path) if path and rows else None
    if picture is not None:
        drawn = images.drawn(picture, columns, rows, colour=colour, how=drawing())
        yield from (Segments(line) for line in drawn)


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


def progress(
    course: CourseFolder = None,
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown, to keep or hand in.")] = False,
    plain: Plain = False,
) -> None:
    """What was read, answered and passed."""
    from tlcourse.course.loader import load_course
    from tlcourse.presenting.overview import lines
    from tlcourse.presenting.overview import markdown as as_markdown
    from tlcourse.student.overview import overview
    from tlcourse.student.record import now
    from tlcourse.student.review import weak_objectives

    loaded = load_course(course)
    with own_record() as record:
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
            out.say(" ".join(line.split()) if plain else line)
        for goal in weak:
            head = "weak:" if plain else f"Weak ({goal.recall:.0%}):"
            out.say(f"{head} {goal.text}: tlcourse lesson show {goal.unit}")
