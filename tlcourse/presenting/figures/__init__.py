"""Figures of lessons: from a description (`course/figure.py`) and a width to lines of runs, as marks are.

The app, `tlcourse lesson show` and pages draw the same lines. What can be moved in the app is a `View`: without one a
figure shows everything at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.figure import Curve, DecisionTree, Figure, Flow, Grid, Matrices, Picture, Points, Stack
from tlcourse.course.figure_reading import alt_of, read
from tlcourse.course.markdown import fences
from tlcourse.errors import ContentError
from tlcourse.presenting.figures.blocks import grid, matrices, picture, stack
from tlcourse.presenting.figures.canvas import widest, wrapped
from tlcourse.presenting.figures.flow import flow, legs, spread
from tlcourse.presenting.figures.plots import curve, points
from tlcourse.presenting.figures.tree import tree
from tlcourse.presenting.marks import Line, Run

_ENDLESS = 1_000
NARROWEST, WIDEST = 56, 96
"""Columns: every figure of a course fits the first (`author check`); none is drawn wider than the second."""


_TIMES = (3, 2.5, 2, 1.5, 1.25)
"""How much larger a figure may be, the most first."""


class View(Struct, frozen=True):
    """How far a figure was moved."""

    step: int | None = None
    """Of a stack; of a flow: how many legs of the way back are drawn."""
    value: int | None = None
    """Of a slider."""
    answers: tuple[int, ...] | None = None
    """To the questions of a tree, by number."""


def drawn(figure: Figure, width: int, view: View = View()) -> list[Line]:  # noqa: B008 - frozen
    """The lines of a figure and its caption; raises ValueError where its numbers cannot be drawn."""
    width = min(width, WIDEST)
    lines = _lines(figure, width, view)
    return [*lines, *wrapped(figure.caption, width, "italic $muted")]


def _lines(figure: Figure, width: int, view: View, times: float = 1) -> list[Line]:
    figure = _enlarged(figure, times)
    match figure:
        case Flow():
            return flow(figure, width, view.step)
        case Stack():
            return stack(figure, width, view.step)
        case Matrices():
            return matrices(figure, width, view.value, times)
        case DecisionTree():
            return tree(figure, width, view.answers)
        case Points():
            return points(figure, width)
        case Curve():
            return curve(figure, width)
        case Grid():
            return grid(figure, width)
        case Picture():
            return picture(figure, width)


def large(figure: Figure, width: int, height: int, view: View = View()) -> list[Line]:  # noqa: B008 - frozen
    """The lines of a figure as large as there is room for, where its kind can be larger."""
    caption = wrapped(figure.caption, min(width, WIDEST), "italic $muted")
    if isinstance(figure, Flow):
        found = spread(figure, width, height - len(caption), view.step)
        return [*found, *caption] if found else drawn(figure, width, view)
    usual = _lines(figure, min(width, WIDEST), view)
    for times in _TIMES if isinstance(figure, (Points, Curve, Matrices, Picture)) else ():
        made = _lines(figure, width, view, times)
        whole = len(made) <= len(_lines(figure, _ENDLESS, view, times)) + 1  # its panels stay side by side
        if whole and len(made) > len(usual) and widest(made) <= width and len(made) + len(caption) <= height:
            return [*made, *caption]
    return [*usual, *caption]


def _enlarged(figure: Figure, times: float) -> Figure:
    """Squares, panels and charts that many times as wide and tall, pictures a whole number of times; others as is."""
    if isinstance(figure, (Points, Curve)):
        return replace(figure, size=(round(figure.size[0] * times), round(figure.size[1] * times)))
    if isinstance(figure, Picture):
        whole = int(times)
        panels = [
            replace(panel, rows=["".join(sign * whole for sign in row) for row in panel.rows for _ in range(whole)])
            for panel in figure.panels
        ]
        return replace(figure, panels=panels)
    return figure


def moves(figure: Figure) -> int:
    """How many views a figure has that the arrows step through; 0 of one that stands still, or is a tree."""
    if isinstance(figure, Stack):
        return len(figure.steps)
    if isinstance(figure, Matrices):
        return len(figure.slider.values) if figure.slider else 0
    return legs(figure) + 1 if isinstance(figure, Flow) and figure.backward else 0


def view_of(figure: Figure, number: int) -> View:
    """One of those views, from 0."""
    if isinstance(figure, Matrices) and figure.slider:
        return View(value=figure.slider.values[number])
    return View(step=number)


def spelt(figure: Figure, spell: Callable[[str], str]) -> Figure:
    """The figure with every text of it spelt otherwise, such as in ASCII, before it is laid out."""

    def changed(value: Any) -> Any:
        if isinstance(value, str):
            return spell(value)
        if isinstance(value, (list, tuple)):
            return [changed(one) for one in value]
        return {changed(key): changed(one) for key, one in value.items()} if isinstance(value, dict) else value

    found: Figure = msgspec.convert(changed(msgspec.to_builtins(figure)), Figure)
    return found


def drawn_text(text: str, width: int) -> list[Line]:
    """The lines of a fence; of a description that does not hold what it says in words."""
    try:
        return drawn(read(text), width)
    except (ContentError, ValueError, ArithmeticError, LookupError):
        return instead(text, width)


def instead(text: str, width: int) -> list[Line]:
    """What stands where a figure cannot be drawn or seen: its words."""
    return wrapped(in_words(text), width)


def in_words(text: str) -> str:
    """A fence's description as one line."""
    return f"[Figure: {alt_of(text) or 'it cannot be drawn'}]"


def problems(path: Path) -> Iterator[str]:
    """What `author check` says of the figures of a lesson, beside what their descriptions lack."""
    for line, text in fences(path.read_text(encoding="utf-8"), "figure"):
        try:
            wide = widest(drawn(read(text, path, line), NARROWEST))
        except ContentError as error:
            yield error.problems[0]
        except (ValueError, ArithmeticError, LookupError) as error:
            yield f"{path}:{line}: the figure cannot be drawn ({error}), expected other numbers"
        else:
            if wide > NARROWEST:
                yield f"{path}:{line}: a figure of {wide} columns, expected at most {NARROWEST}"


__all__ = [
    "NARROWEST", "WIDEST", "Run", "View", "drawn", "drawn_text", "in_words", "instead", "large", "legs", "moves",
    "problems", "spelt", "view_of",
]  # fmt: skip
