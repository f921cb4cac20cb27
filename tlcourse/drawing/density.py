"""A distribution in characters: a hill as high as its density, its true quantiles below, and the drawn value."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from rich.segment import Segment
from rich.style import Style

from tlcourse.data.synthetic.generators import Distribution
from tlcourse.drawing.pixels import Lines
from tlcourse.drawing.terminal import Drawing

Array = np.ndarray[Any, Any]

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_HALVES = " ▄█"  # the Linux console's fonts have these
_HASH = " .:#"
_STEPS = {"braille": _EIGHTHS, "block": _HALVES, "ascii": _HASH}
_MARKS = {"braille": ("─", "━", "┃", "▲"), "block": ("─", "═", "│", "▲"), "ascii": ("-", "=", "|", "^")}
"""Between the outer quantiles, between the quartiles, the median, and the drawn value."""
_OUTER, _INNER = (0.05, 0.95), (0.25, 0.75)


class Hues(NamedTuple):
    """Colours as Rich takes them; without one the marks alone tell the parts apart."""

    hill: str = "default"
    line: str = "default"
    drawn: str = "default"


USUAL = Hues("#56B4E9", "#009E73", "#E69F00")
"""Okabe and Ito's, for a terminal whose background is not known."""


def density(one: Distribution, columns: int, rows: int, how: Drawing, hues: Hues = USUAL) -> Lines:
    """`rows` lines, three at least: a heading, the hill, and below it the line of its quantiles."""
    height = max(rows - 2, 1)
    at = dict(zip(one.levels, one.quantiles, strict=True))
    heading = (
        f"{one.name}: median {at[0.5]:.2f}, 90 % {at[0.05]:.2f} to {at[0.95]:.2f}, {_MARKS[how][3]} {one.drawn:.2f}"
    )
    lines = [[Segment(heading[:columns].ljust(columns), Style(bold=True))]]
    lines += [[Segment(line, Style(color=hues.hill))] for line in _hill(_shares(one, columns), height, _STEPS[how])]
    return [*lines, _quantiles(one, columns, _MARKS[how], hues)]


def legend(y: Array, how: Drawing) -> str:
    """What the marks of the line below a hill mean, and from where to where it reaches."""
    outer, inner, median, drawn = _MARKS[how]
    return f"{inner} half, {outer} 90 %, {median} median, {drawn} drawn; from {y[0]:.1f} to {y[-1]:.1f}"


def _shares(one: Distribution, columns: int) -> Array:
    """The probability of each column."""
    edges = np.linspace(one.y[0], one.y[-1], columns + 1)
    shares: Array = np.diff(np.interp(edges, one.y, one.cdf))
    return shares


def _hill(shares: Array, height: int, steps: str) -> list[str]:
    most = len(steps) - 1
    levels = np.rint(shares / max(shares.max(), 1e-12) * height * most).astype(int)
    levels = np.where((levels == 0) & (shares > 0.002), 1, levels)  # a thin tail is still a tail
    return [
        "".join(steps[level] for level in np.clip(levels - row * most, 0, most).tolist())
        for row in reversed(range(height))
    ]


def _quantiles(one: Distribution, columns: int, marks: tuple[str, ...], hues: Hues) -> list[Segment]:
    def column(value: float) -> int:
        share = (value - one.y[0]) / (one.y[-1] - one.y[0])
        return int(np.clip(share * columns, 0, columns - 1))

    at = {level: column(value) for level, value in zip(one.levels, one.quantiles, strict=True)}
    cells = [" "] * columns
    for (low, high), mark in ((_OUTER, marks[0]), (_INNER, marks[1])):
        for place in range(at[low], at[high] + 1):
            cells[place] = mark
    cells[at[0.5]] = marks[2]
    drawn = column(one.drawn)
    line = Style(color=hues.line)
    return [
        Segment("".join(cells[:drawn]), line),
        Segment(marks[3], Style(color=hues.drawn, bold=True)),
        Segment("".join(cells[drawn + 1 :]), line),
    ]
