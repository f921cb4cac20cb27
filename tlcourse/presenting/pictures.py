"""Samples of data in characters: pictures, distributions, and sheets of several beside and below each other.

A character is about twice as high as wide. A half-block `▀` holds two square pixels, its own colour above and the
background's below. Without colours the shape is kept: Braille's dots, eight of them in a character, are as many as the
picture is light there, and on terminals that have none shades or characters of ASCII. A distribution is a hill as
high as its density, with its true quantiles and the drawn value below it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
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

RAMP = {" ": 0.0, ".": 0.1, ":": 0.2, "+": 0.41, "x": 0.55, "%": 0.68, "$": 0.79, "#": 0.92, "@": 1.0}
"""ASCII from dark to light, and how much of a cell each covers, of what `@` does: measured in DejaVu Sans Mono."""
_SHADES = {" ": 0.0, "░": 0.25, "▒": 0.5, "▓": 0.75, "█": 1.0}
_DOTS = np.array([[1, 8], [2, 16], [4, 32], [64, 128]])
"""Of a character of Braille, from 0x2800 on, the bit of each dot."""
_GAMMA = 1.3  # of dots: lit ones seem to cover more than they do
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


def picture(pixels: Array, columns: int, *, colour: bool, how: Drawing = "ascii", dark: bool = True) -> Lines:
    """A square picture (n, n, channels) in [0, 1], `columns` wide and half as many lines high.

    Without `colour` it is drawn as `how` says; `dark`: what is not drawn on is dark.
    """
    return drawn(pixels, columns, max(columns // 2, 1), colour=colour, how=how, dark=dark)


def drawn(pixels: Array, columns: int, rows: int, *, colour: bool, how: Drawing, dark: bool = True) -> Lines:
    """Pixels (height, width, channels) in [0, 1] as so many columns and lines; see `picture`."""
    if colour:
        return blocks(resized(pixels, 2 * rows, columns))
    if how == "braille":
        lines = _dots(_light(resized(pixels, 4 * rows, 2 * columns), dark))
    else:
        lines = ramp(_light(resized(pixels, rows, columns), dark), RAMP if how == "ascii" else _SHADES)
    return [[Segment(line)] for line in lines]


def blocks(cells: Array) -> Lines:
    """Pixels (2 · rows, columns, channels) in [0, 1] as half-blocks, each its two pixels in their own colours."""
    count, columns = cells.shape[:2]
    levels = np.clip(np.rint(cells * 255), 0, 255).astype(int)
    levels = np.broadcast_to(levels, (count, columns, 3)).tolist()
    return [
        [Segment("▀", _style(upper, lower)) for upper, lower in zip(levels[row], levels[row + 1], strict=True)]
        for row in range(0, count, 2)
    ]


def _light(pixels: Array, dark: bool) -> Array:
    """(rows, columns) in [0, 1]: how light each pixel is, stretched to all of the contrast there is."""
    light = pixels @ _LUMA if pixels.shape[2] == 3 else pixels[:, :, 0]
    low, high = np.quantile(light, [_FAINT, 1 - _FAINT])
    share: Array = np.clip((light - low) / (high - low), 0, 1) if high - low > 1e-6 else np.full(light.shape, 0.5)
    return share if dark else 1 - share


def ramp(light: Array, steps: Mapping[str, float] = RAMP) -> list[str]:
    """One character for each of (rows, columns) in [0, 1]: the one that covers nearest to as much."""
    letters, covered = list(steps), np.array(list(steps.values()))
    return ["".join(letters[step] for step in row) for row in np.abs(light[..., None] - covered).argmin(-1).tolist()]


def _dots(light: Array) -> list[str]:
    """Braille for (4 · rows, 2 · columns) in [0, 1], by Floyd and Steinberg's diffusion of errors."""
    from PIL import Image

    levels = np.rint(255 * light**_GAMMA).astype(np.uint8)
    lit = np.asarray(Image.fromarray(levels).convert("1"))
    rows, columns = lit.shape[0] // 4, lit.shape[1] // 2
    cells = np.einsum("ridj,ij->rd", lit.reshape(rows, 4, columns, 2), _DOTS)
    return ["".join(chr(0x2800 + cell) for cell in row) for row in cells.tolist()]


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
    """Pictures of `side` columns and half as many lines, each with two lines of words below it."""

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
    return Fit(max(min(columns, 2 * (rows - 2)), 2), 1, 1)


def _grid(columns: int, rows: int, side: int) -> Fit:
    """As many pictures of this size as fit."""
    return Fit(side, (columns + _GAP) // (side + _GAP), rows // (side // 2 + 2))


def sheet(
    examples: Sequence[Example],
    columns: int,
    fitted: Fit,
    rows: int,
    *,
    colour: bool,
    how: Drawing,
    hues: Hues = USUAL,
    dark: bool = True,
) -> Lines:
    """The lines of all examples; `rows` is the room for distributions, of which one example fills all.

    `colour`: pictures have their own, and distributions have `hues`; `dark`: the background is.
    """
    if examples and examples[0].picture is None:
        return _distributions(examples[0], columns, rows, how, hues if colour else Hues())
    lines: Lines = []
    for start in range(0, len(examples), fitted.across):
        side_by_side = []
        for one in examples[start : start + fitted.across]:
            assert one.picture is not None
            shown = picture(one.picture, fitted.side, colour=colour, how=how, dark=dark)
            side_by_side.append([*shown, *_caption(one, fitted.side)])
        lines += _beside(side_by_side)
    return lines


def _caption(one: Example, side: int) -> Lines:
    """Two lines, of which the second is mostly blank; no word of a caption is cut."""
    words = textwrap.wrap(f"{one.number}: {one.caption}", side, max_lines=2, placeholder=" …")
    return [[Segment(words[line].center(side) if line < len(words) else " " * side)] for line in range(2)]


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
