"""The map of a course as text: a line a unit, with bars of what is done; its objectives; a week's days."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from rich.table import Table

from tlcourse.presenting.marks import TRACK, Run, cell, parted, spark
from tlcourse.student.overview import ExerciseState, ObjectiveState, Overview, UnitState
from tlcourse.text import counted
from tlcourse.tui.text import Text

_TITLE = 18
"""Columns that a unit's title has at least."""
_READ, _LABS, _EXERCISE = 4, 4, 8
_QUIZ_FROM = ((100, 12), (64, 8), (44, 5), (0, 0))
"""From how many columns of the map on the bar of a quiz has how many columns."""


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
        room = max(width - 4 - 2 * len(squares), 4)
        name = unit.title if len(unit.title) < room else unit.title[: room - 2] + "…"
        text.append(f"{unit.number:2}  ", style="$muted").append(f"{name:<{room}}")
        for one in squares:
            text.append(f"{one.text} ", style=one.style)
        text.append("\n")
    return text


def _columns(width: int) -> tuple[int, int, int]:
    """Columns of a title, of a quiz's bar, and of the exercises, for a map of `width` columns."""
    bar = next(columns for least, columns in _QUIZ_FROM if width >= least)
    exercises = _EXERCISE * 2 + 1 if width >= 100 else _EXERCISE + 5 if width >= 64 else _EXERCISE
    fixed = 6 + (_READ + 1) + (bar + 1 if bar else 0) + 6 + (_LABS + 1) + exercises
    return max(width - fixed, _TITLE), bar, exercises


def head(width: int) -> Text:
    """The names of the columns."""
    title, bar, _ = _columns(width)
    quiz = (bar + 1 if bar else 0) + 6
    said = f"{'unit':<{title + 6}}{'read':<{_READ + 1}}{'quiz':<{quiz}}{'labs':<{_LABS + 1}}exercise"
    return Text(said[:width], style="$muted", no_wrap=True)


def line(unit: UnitState, labs: int, width: int, *, summary: bool = False) -> Text:
    """One unit of the map: how it stands, number, title, and what there is to do with how much of it is done.

    Args:
        unit: The unit.
        labs: How many labs it has.
        width: Columns.
        summary: With a second line that says what the unit is about.
    """
    title, bar, exercises = _columns(width)
    name = unit.title if len(unit.title) < title else unit.title[: title - 2] + "…"
    if not unit.written:
        symbol, style = "·", TRACK
    else:
        symbol, style = ("●", "$done") if unit.done else ("◐", "$partial") if unit.begun else ("○", "$muted")
    text = Text(no_wrap=True, overflow="crop", style="" if unit.written or unit.exercises else "dim")
    text.append(f"{symbol} ", style=style).append(f"{unit.number:2}  {name:<{title}}")
    text.append("✓   " if unit.read else "·   " if unit.written else "    ", style="$done" if unit.read else TRACK)
    text.append(" ")
    if unit.asked:
        if bar:
            text.append_text(Text.of(parted([(unit.right, "$done"), (unit.missed, "$wrong")], unit.asked, bar)))
            text.append(" ")
        text.append(f"{unit.right:>2}/{unit.asked:<3}", style="$done" if unit.right == unit.asked else "$muted")
    else:
        text.append(" " * ((bar + 1 if bar else 0) + 6))
    text.append(f"▲ {labs:<{_LABS - 1}}" if labs else " " * (_LABS + 1), style="$lab")
    used = 0
    for number, (said, role) in enumerate(_to_solve(unit, exercises)):
        gap = " " if number else ""
        if used + len(gap + said) > exercises:
            text.append("…", style="$muted")
            break
        text.append(gap + said, style=role)
        used += len(gap + said)
    text.truncate(width)
    if summary:
        said = unit.summary if len(unit.summary) <= width - 6 else unit.summary[: width - 7] + "…"
        text.append(f"\n      {said}", style="$muted")
    return text


def _to_solve(unit: UnitState, columns: int) -> Iterator[tuple[str, str]]:
    """Each exercise, and how many of its methods are written."""
    yield from map(_exercise, unit.exercises)
    if methods := len(unit.write_its):
        written = sum(one.outcome == "pass" for one in unit.write_its)
        word = "w" if unit.exercises or columns < len("write 0/1") else "write"
        yield f"{word} {written}/{methods}", "$done" if written == methods else "$partial" if written else "$muted"


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
