"""`tlcourse exercise samples`: what its data look like, drawn in the terminal."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, ExerciseName, Json, Plain

if TYPE_CHECKING:
    from tlcourse.data.synthetic import Example

_MOST = 100
_ROWS = 26  # of a terminal: a picture shall be seen whole


def samples(
    exercise: ExerciseName,
    count: Annotated[int, typer.Option("--count", min=1, max=_MOST, help="How many.")] = 3,
    first: Annotated[int, typer.Option("--first", min=1, max=10**9, help="The number of the first one.")] = 1,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Samples of its data with their labels, from practice seeds that no run trains or is graded on.

    Pictures in a terminal; a sentence each with --plain.
    """
    from tlcourse.course.loader import load_course
    from tlcourse.data.synthetic import example

    loaded = load_course(course).exercise(exercise)
    about = loaded.about
    found = [example(loaded.generator, number) for number in range(first, first + count)]
    if json:
        out.document({"schema": 1, "exercise": about.id, "variant": "mini", "samples": [_fields(one) for one in found]})
        return
    if not plain:
        _draw(found)
    for one in found:
        out.say(f"{one.number}: {one.sentence}")
    if not plain:
        out.note(f"\nMore: tlcourse exercise samples {exercise} --first {first + count}")


def _fields(one: Example) -> dict[str, Any]:
    """A sample without its pixels: `Task.local` gives whole data sets of them."""
    return {
        "number": one.number,
        "label": one.label,
        "sentence": one.sentence,
        "shape": None if one.picture is None else list(one.picture.shape),
        "inputs": one.inputs,
        "distributions": [
            {"name": part.name, "levels": part.levels, "quantiles": part.quantiles, "drawn": part.drawn}
            for part in one.distributions
        ],
    }


def _draw(found: list[Example]) -> None:
    from rich.console import Console
    from rich.segment import Segment, Segments

    from tlcourse.presenting.pictures import Fit, fit, sheet
    from tlcourse.presenting.words import drawing

    console = Console(file=sys.stdout, highlight=False)
    spoken = (sys.stdout.encoding or "").lower().startswith("utf")
    colour = spoken and not os.environ.get("NO_COLOR") and console.color_system not in (None, "standard")
    columns = shutil.get_terminal_size((80, _ROWS)).columns
    picture = found[0].picture
    fitted = Fit(1, 1, 1) if picture is None else fit(columns, _ROWS, len(found), len(picture))
    for start in range(0, len(found), fitted.across):
        some = found[start : start + fitted.across]
        for line in sheet(some, columns, fitted, _ROWS, colour=colour, how=drawing(not spoken)):
            console.print(Segments([*line, Segment.line()]), end="", soft_wrap=True)
        out.say()
