"""The map of a course as text: a line a unit, with bars of what is done; its objectives; a week's days."""

from __future__ import annotations

import datetime
import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, structs
from rich.table import Table

from tlcourse.presenting.marks import TRACK, Run, cell, parted, spark
from tlcourse.student.overview import ExerciseState, ObjectiveState, Overview, UnitState
from tlcourse.text import counted
from tlcourse.tui.text import Text

_READ, _COUNT, _LABS, _WIDE_BAR, _BAR = 5, 6, 5, 12, 5
_ONE_EXERCISE, _TWO_EXERCISES = 9, 18
_FIRST = 6
"""Columns of how a unit stands, and of its number."""
_WHOLE = 0.9
"""So many of the titles shall stand in one line: before fewer do, other columns give way."""


class Columns(Struct, frozen=True):
    """How many columns of the map each thing has; what has none is left out."""

    title: int
    bar: int
    count: int
    read: int
    labs: int
    exercises: int

    @property
    def quiz(self) -> int:
        """Bar and count."""
        return (self.bar + 1 if self.bar else 0) + self.count


_LAYOUTS = (  # from rich to lean; the last one stands where titles do not fit beside any
    Columns(0, _WIDE_BAR, _COUNT, _READ, _LABS, _TWO_EXERCISES),
    Columns(0, 8, _COUNT, _READ, _LABS, _TWO_EXERCISES),
    Columns(0, 8, _COUNT, _READ, _LABS, _ONE_EXERCISE),
    Columns(0, _BAR, _COUNT, _READ, _LABS, _ONE_EXERCISE),
    Columns(0, _BAR, 0, _READ, _LABS, _ONE_EXERCISE),
    Columns(0, _BAR, 0, 0, _LABS, _ONE_EXERCISE),
    Columns(0, _BAR, 0, 0, 0, _ONE_EXERCISE),
)


def columns(units: Sequence[UnitState], width: int) -> Columns:
    """The columns of a map of `width`: titles come first, and what would not fit in one line is wrapped."""
    lengths = sorted(len(unit.title) for unit in units) or [0]
    wanted = lengths[math.ceil(_WHOLE * len(lengths)) - 1] + 1
    longest = max((len(said) for unit in units for said, _ in _to_solve(unit)), default=0)
    for layout in _LAYOUTS:
        exercises = max(layout.exercises, longest)
        used = _FIRST + layout.read + layout.quiz + layout.labs + exercises
        if width - used >= wanted:
            break
    return structs.replace(layout, title=max(width - used, 10), exercises=exercises)


def outline(unit: UnitState) -> str:
    """The words by which the filter finds a unit, in lower case."""
    parts = [quiz.title for quiz in unit.quizzes]
    parts += [exercise.title for exercise in unit.exercises] + [one.title for one in unit.write_its]
    return " ".join((unit.title, unit.summary, *(goal.text for goal in unit.objectives), *parts)).lower()


def facts(unit: UnitState, labs: int) -> list[str]:
    """What there is in a unit, and how much of it is done, in words."""
    said = [f"{unit.minutes} min" + (", read" if unit.read else "")] if unit.written else []
    if unit.asked:
        said.append(f"{unit.right} of {counted(unit.asked, 'question')} right")
    if labs:
        said.append(counted(labs, "lab"))
    said += [f"{exercise.id}: {exercise.words}" for exercise in unit.exercises]
    return said + [f"write {one.id}: {one.words}" for one in unit.write_its]


def goals(unit: UnitState) -> Table:
    """The unit's objectives, each with a square that says how its questions were answered."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(no_wrap=True, justify="right")
    for goal in unit.objectives:
        said = f"{goal.right}/{goal.questions}" if goal.questions else ""
        table.add_row(Text.of([square(goal)]), Text(goal.text), Text(said, style="$muted"))
    return table


def square(goal: ObjectiveState) -> Run:
    """How the questions on an objective were answered: unknown, wrong, partly right, all right."""
    if not goal.answered:
        return cell(None)
    share = goal.right / goal.answered
    return cell(min(share, goal.right / goal.questions + 0.5) if share == 1 else share)


def heat(state: Overview, width: int) -> Text:
    """A square for each objective of the course, a line a unit."""
    text = Text(no_wrap=True, overflow="crop")
    for unit in state.units:
        squares = [square(goal) for goal in unit.objectives]
        room = max(width - 4 - 2 * len(squares), 10)
        first, *rest = textwrap.wrap(unit.title, room - 1) or [""]
        text.append(f"{unit.number:2}  ", style="$muted").append(f"{first:<{room}}")
        for one in squares:
            text.append(f"{one.text} ", style=one.style)
        text.append("".join(f"\n    {more}" for more in rest) + "\n")
    return text


def head(at: Columns) -> Text:
    """The names of the columns."""
    said = f"{'unit':<{at.title + _FIRST}}"
    for name, room in (("read", at.read), ("quiz", at.quiz), ("labs", at.labs), ("exercise", at.exercises)):
        said += f"{name:<{room}}" if room else ""
    return Text(said, style="$muted", no_wrap=True)


def line(unit: UnitState, labs: int, at: Columns, *, summary: bool = False) -> Text:
    """One unit of the map: how it stands, number, title, and what there is to do with how much of it is done.

    What is longer than its column goes on in further lines.

    Args:
        unit: The unit.
        labs: How many labs it has.
        at: The columns of the map.
        summary: With further lines that say what the unit is about.
    """
    titles = textwrap.wrap(unit.title, at.title - 1) or [""]
    to_solve = _packed(_to_solve(unit), at.exercises)
    text = Text(no_wrap=True, overflow="crop", style="" if unit.written or unit.exercises else "dim")
    for number in range(max(len(titles), len(to_solve))):
        if number:
            text.append("\n" + " " * _FIRST)
        else:
            _stands(text, unit)
        text.append(f"{titles[number] if number < len(titles) else '':<{at.title}}")
        if number:
            text.append(" " * (at.read + at.quiz + at.labs))
        else:
            _counted(text, unit, labs, at)
        if number < len(to_solve):
            text.append_text(to_solve[number])
    if summary:
        room = sum((at.title, at.read, at.quiz, at.labs, at.exercises))
        for said in textwrap.wrap(unit.summary, room):
            text.append(f"\n{' ' * _FIRST}{said}", style="$muted")
    return text


def _stands(text: Text, unit: UnitState) -> None:
    """How it stands, by its shape, and its number."""
    if not unit.written:
        symbol, style = "·", TRACK
    else:
        symbol, style = ("●", "$done") if unit.done else ("◐", "$partial") if unit.begun else ("○", "$muted")
    text.append(f"{symbol} ", style=style).append(f"{unit.number:2}  ")


def _counted(text: Text, unit: UnitState, labs: int, at: Columns) -> None:
    """Whether it was read, how its questions were answered, how many labs it has."""
    if at.read:
        read = "✓" if unit.read else "·" if unit.written else ""
        text.append(f"{read:<{at.read}}", style="$done" if unit.read else TRACK)
    if unit.asked:
        text.append_text(Text.of(parted([(unit.right, "$done"), (unit.missed, "$wrong")], unit.asked, at.bar)))
        text.append(" ")
        if at.count:
            text.append(f"{unit.right:>2}/{unit.asked:<3}", style="$done" if unit.right == unit.asked else "$muted")
    else:
        text.append(" " * at.quiz)
    if at.labs:
        text.append(f"▲ {labs:<{at.labs - 2}}" if labs else " " * at.labs, style="$lab")


def _packed(words: Iterable[tuple[str, str]], room: int) -> list[Text]:
    """Lines of at most so many columns."""
    lines: list[Text] = []
    for said, role in words:
        if lines and lines[-1].cell_len + 1 + len(said) <= room:
            lines[-1].append(" ")
        else:
            lines.append(Text())
        lines[-1].append(said, style=role)
    return lines


def _to_solve(unit: UnitState) -> Iterator[tuple[str, str]]:
    """Each exercise, and how many of its methods are written."""
    yield from map(_exercise, unit.exercises)
    if methods := len(unit.write_its):
        written = sum(one.outcome == "pass" for one in unit.write_its)
        yield f"write {written}/{methods}", "$done" if written == methods else "$partial" if written else "$muted"


def _exercise(exercise: ExerciseState) -> tuple[str, str]:
    if not exercise.attempts:
        return f"{exercise.id} –", "$muted"
    if exercise.outcome == "pass":
        return f"{exercise.id} ✓{exercise.points:g}", "$done"
    return f"{exercise.id} {exercise.points:g}/{exercise.max_points:g}", "$partial"


def week(state: Overview, today: datetime.date) -> Text:
    """The last seven days up to today: how much was done on each, and how many days in a row."""
    days = [today - datetime.timedelta(days=back) for back in range(6, -1, -1)]
    counts = [state.days.get(day, 0) for day in days]
    most = max(counts)
    text = Text(no_wrap=True)
    for day in days:
        text.append(f"{day:%a}"[:2] + "  ", style="bold" if day == today else "$muted")
    text.append("\n")
    for count in counts:
        if count:
            text.append_text(Text.of(spark([count, count], most, styles=["$done", "$done"]))).append("  ")
        else:
            text.append("·   ", style=TRACK)
    streak = state.streak(today)
    said = f"{counted(streak, 'day')} in a row" if streak else "A little every day stays longest."
    return text.append(f"\n{said}", style="$muted")
