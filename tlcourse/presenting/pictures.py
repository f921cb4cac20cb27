"""Samples of data in characters: pictures, distributions, and sheets of several beside and below each other.

A character is about twice as high as wide. A half-block `▀` holds two square pixels, its own colour above and the
background's below. Without colours each character is as dense as its two pixels are light. A distribution is a hill as
high as its density, with its true quantiles and the drawn value below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from tlcourse.data.synthetic import Distribution, Example
from tlcourse.presenting.words import Drawing

Array = np.ndarray[Any, Any]
Lines = list[list[Segment]]
"""One list of segments a line, all lines equally wide."""

RAMP = " .:-=+*#%@"
"""From dark to light; ASCII, so that every terminal has it."""
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601: how light a colour seems
_FAINT = 0.02  # of the pixels at either end so many may be cut off, so that noise does not take the ramp's ends
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_HALVES = " ▄█"  # the Linux console's fonts have these
_HASH = " .:#"
_STEPS = {"braille": _EIGHTHS, "block": _HALVES, "ascii": _HASH}
_MARKS = {"braille": ("─", "━", "┃", "▲"), "block": ("─", "═", "│", "▲"), "ascii": ("-", "=", "|", "^")}
"""Between the outer quantiles, between the quartiles, the median, and the drawn value."""
_OUTER, _INNER = (0.05, 0.95), (0.25, 0.75)
_SMALLEST = 24  # columns of a picture in which an insect can still be recognised
_LARGEST = 96
_GAP = 2
_WIDE = 110  # from so many columns on distributions stand two beside each other
_FEWEST_ROWS, _MOST_ROWS = 3, 12  # of one distribution


def picture(pixels: Array, columns: int, *, colour: bool) -> Lines:
    """A square picture (n, n, channels) in [0, 1], `columns` wide and half as many lines high."""
    rows = max(columns // 2, 1)
    if not colour:
        return [[Segment(line)] for line in ramp(resized(pixels, rows, columns))]
    return blocks(resized(pixels, 2 * rows, columns))


def blocks(cells: Array) -> Lines:
    """Pixels (2 · rows, columns, channels) in [0, 1] as half-blocks, each its two pixels in their own colours."""
    count, columns = cells.shape[:2]
    levels = np.clip(np.rint(cells * 255), 0, 255).astype(int)
    levels = np.broadcast_to(levels, (count, columns, 3)).tolist()
    return [
        [Segment("▀", _style(upper, lower)) for upper, lower in zip(levels[row], levels[row + 1], strict=True)]
        for row in range(0, count, 2)
    ]


def ramp(pixels: Array) -> list[str]:
    """One character a pixel of (rows, columns, channels): the darkest are blank, the lightest `@`."""
    light = pixels @ _LUMA if pixels.shape[2] == 3 else pixels[:, :, 0]
    low, high = np.quantile(light, [_FAINT, 1 - _FAINT])
    share = (light - low) / (high - low) if high - low > 1e-6 else np.full(light.shape, 0.5)
    steps = np.clip((share * len(RAMP)).astype(int), 0, len(RAMP) - 1)
    return ["".join(RAMP[step] for step in row) for row in steps.tolist()]


def resized(pixels: Array, rows: int, columns: int) -> Array:
    """(height, width, channels) to (rows, columns, channels): each new pixel is the mean of what it covers."""
    height, width = pixels.shape[:2]
    mixed: Array = np.einsum("ih,hwc,jw->ijc", _covered(height, rows), pixels, _covered(width, columns), optimize=True)
    return mixed


def _covered(before: int, after: int) -> Array:
    """(after, before): how much of each new pixel each old one fills; rows sum to 1."""
    edges = np.linspace(0, before, after + 1)
    old = np.arange(before)
    filled = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    shares: Array = np.clip(filled, 0, None) * (after / before)
    return shares


def _style(upper: list[int], lower: list[int]) -> Style:
    return Style.from_color(Color.from_rgb(*upper), Color.from_rgb(*lower))


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


class Fit(Struct, frozen=True):
    """Pictures of `side` columns and half as many lines, each with a line of words below it."""

    side: int
    across: int
    down: int

    @property
    def count(self) -> int:
        """How many there are."""
        return self.across * self.down

    def corner(self, number: int) -> tuple[int, int]:
        """Column and line at which picture `number` (from 0 on) begins."""
        row, place = divmod(number, self.across)
        return place * (self.side + _GAP), row * (self.side // 2 + 2)


def fit(columns: int, rows: int, wanted: int, pixels: int) -> Fit:
    """The largest pictures of `wanted` that fit; fewer, where less than 2/5 of their `pixels` a side would be seen."""
    smallest = max(_SMALLEST, 2 * pixels // 5)
    for count in range(wanted, 0, -1):
        for side in range(min(_LARGEST, columns), smallest - 1, -2):
            found = _grid(columns, rows, side)
            if found.count >= count:
                across = min(found.across, count)
                return Fit(side, across, min(found.down, -(-count // across)))
    return Fit(max(min(columns, 2 * (rows - 1)), 2), 1, 1)


def _grid(columns: int, rows: int, side: int) -> Fit:
    """As many pictures of this size as fit; a line is free between two rows of them."""
    return Fit(side, (columns + _GAP) // (side + _GAP), (rows + 1) // (side // 2 + 2))


def sheet(
    examples: Sequence[Example],
    columns: int,
    fitted: Fit,
    rows: int,
    *,
    colour: bool,
    how: Drawing,
    hues: Hues = USUAL,
) -> Lines:
    """The lines of all examples; `rows` is the room for distributions, of which one example fills all.

    `colour`: pictures have their own, and distributions have `hues`.
    """
    if examples and examples[0].picture is None:
        return _distributions(examples[0], columns, rows, how, hues if colour else Hues())
    lines: Lines = []
    for start in range(0, len(examples), fitted.across):
        if lines:
            lines.append([Segment("")])
        lines += _row(examples[start : start + fitted.across], fitted.side, colour=colour)
    return lines


def _row(examples: Sequence[Example], side: int, *, colour: bool) -> Lines:
    blocks = []
    for one in examples:
        assert one.picture is not None
        caption = f"{one.number}: {one.caption}"
        blocks.append([*picture(one.picture, side, colour=colour), [Segment(caption[:side].center(side))]])
    return _beside(blocks)


def _distributions(one: Example, columns: int, rows: int, how: Drawing, hues: Hues) -> Lines:
    across = 2 if columns >= _WIDE else 1
    down = -(-len(one.distributions) // across)
    each = min(max((rows - 2) // down, _FEWEST_ROWS), _MOST_ROWS)
    wide = (columns - _GAP * (across - 1)) // across
    drawn = [density(part, wide, each, how, hues) for part in one.distributions]
    lines: Lines = [[Segment(f"{one.number}: {one.caption}"[:columns])]]
    for start in range(0, len(drawn), across):
        lines += _beside(drawn[start : start + across])
    return [*lines, [Segment(legend(one.distributions[0].y, how)[:columns])]]


def _beside(blocks: Sequence[Lines]) -> Lines:
    gap = Segment(" " * _GAP)
    return [
        [segment for number, line in enumerate(parts) for segment in ([gap] if number else []) + list(line)]
        for parts in zip_longest(*blocks, fillvalue=[])
    ]
