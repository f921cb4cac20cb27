"""Line charts of a run's metrics: in braille dots, in half-blocks where the font has none, or in ASCII.

Drawing is a function from numbers to text, so that it is tested without a screen and costs a few milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from tlcourse.presenting.words import Drawing, Points, drawing, number
from tlcourse.presenting.words import finite as drawable
from tlcourse.tui.text import Text

# Of the theme: Okabe and Ito's, told apart with any colour vision; a grey ends them. With more than one curve each is
# told apart without colour, too: by its dashes, and by a mark that it carries along.
COLOURS = tuple(f"$series-{number}" for number in range(1, 9))
_DASHES = ((1,), (1, 1, 1, 0, 0), (1, 0, 0), (1, 1, 0, 1, 0), (1, 1, 1, 1, 1, 0), (1, 0, 0, 0, 0), (1, 0), (1, 1, 0, 0))
MARKS = {"braille": "●■▲◆○□△◇", "block": "●■▲◆○□△◇", "ascii": "*o+x#@%&"}
_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # [row][column] of a character's 4×2 dots
_HALVES = " ▀▄█"  # a character's two halves: bit 0 the upper, bit 1 the lower
_CELL = {"braille": (2, 4), "block": (1, 2), "ascii": (1, 1)}  # dots of a character: across, down
_SPOTS = 3  # marks along a curve
_LABEL = 8  # columns for the labels of the vertical axis


def panels(metrics: Mapping[str, Points]) -> list[tuple[str, dict[str, Points]]]:
    """Metrics that share a unit share a panel: `train_loss` and `val_loss` become ("loss", {train, val})."""
    found: dict[str, dict[str, Points]] = {}
    for name, points in metrics.items():
        split, _, kind = name.partition("_")
        if kind and split in ("train", "val", "test"):
            found.setdefault(kind, {})[split] = points
        else:
            found.setdefault(name, {})[""] = points
    return list(found.items())


def chart(
    title: str,
    series: Mapping[str, Points],
    width: int,
    height: int,
    *,
    ascii_only: bool = False,
    places: Mapping[str, int] | None = None,
) -> Text:
    """A panel of `height` lines: a heading with the latest values, the curves, and the range of the steps.

    With `places` the heading is the title alone, for `legend` names the curves; they say which colour, dashes and mark
    a curve has, so that it has the same in every panel.
    """
    how = drawing(ascii_only)
    text = Text(title, style="bold") if places is not None else _heading(title, series, how)
    numbers = {name: (places or {}).get(name, index) for index, name in enumerate(series)}
    rows = max(height - 2, 1)
    columns = max(width - _LABEL - 1, 4)
    finite = {name: drawable(points) for name, points in series.items()}
    everything = [point for points in finite.values() for point in points]
    if not everything:
        text.append("\n" + " " * _LABEL + "no finite value yet")
        return text
    low, high = min(y for _, y in everything), max(y for _, y in everything)
    first, last = min(x for x, _ in everything), max(x for x, _ in everything)
    if high - low <= 1e-9 * max(abs(high), abs(low)):
        room = max(0.5, abs(high) / 2)
        low, high = low - room, high + room
    cells = _Canvas(columns, rows, how)
    lines = {name: _pixels(points, (first, last), (low, high), cells.size) for name, points in finite.items()}
    for name, pixels in lines.items():
        cells.draw(pixels, numbers[name])
    for name, pixels in lines.items() if len(lines) > 1 else ():  # on top of all the curves
        cells.mark(pixels, numbers[name])
    top, bottom = _labels(low, high)
    for row in range(rows):
        label = top if row == 0 else bottom if row == rows - 1 else ""
        text.append(f"\n{label:>{_LABEL}} ", style="dim")
        text.append_text(cells.row(row))
    begin, end = number(first), number(last)
    text.append("\n" + " " * (_LABEL + 1) + begin + " " * max(columns - len(begin) - len(end), 1) + end, style="dim")
    return text


def _labels(low: float, high: float) -> tuple[str, str]:
    """Both ends of an axis, with as many digits as tell them apart, up to six."""
    for digits in (3, 4, 5, 6):
        top, bottom = f"{high:.{digits}g}", f"{low:.{digits}g}"
        if top != bottom:
            break
    return top[:_LABEL], bottom[:_LABEL]


def legend(
    names: Iterable[str],
    places: Mapping[str, int],
    panels: Sequence[Mapping[str, Points]],
    width: int,
    *,
    ascii_only: bool = False,
) -> Text:
    """What each curve's colour and mark mean, with its latest values in the order of the panels.

    It takes as many lines of `width` as it needs.
    """
    text, used = Text(), 0
    for name in names:
        shown = [_latest(series[name]) for series in panels if series.get(name)]
        entry = _key(places[name], drawing(ascii_only)).append(f" {name} {' · '.join(shown)}".rstrip())
        if used and used + entry.cell_len > width:
            text.append("\n")
            used = 0
        text.append_text(entry)
        used += entry.cell_len
    return text


def _latest(points: Points) -> str:
    value = points[-1][1] if points else math.nan
    return number(value) if math.isfinite(value) else f"{value} (not finite: try a smaller learning rate)"


def _key(place: int, how: Drawing) -> Text:
    colour, mark = COLOURS[place % len(COLOURS)], MARKS[how][place % len(COLOURS)]
    return Text("  ").append(mark if how == "ascii" else f"━{mark}━", style=colour)


def _entry(name: str, points: Points, place: int, how: Drawing) -> Text:
    return _key(place, how).append(f" {name} {_latest(points)}".rstrip())


def _heading(title: str, series: Mapping[str, Points], how: Drawing) -> Text:
    text = Text(title, style="bold")
    for index, (name, points) in enumerate(series.items()):
        if points:
            entry = _entry(name, points, index, how)
            entry.stylize("not bold", 0)
            text.append_text(entry)
    return text


def _pixels(
    points: Points, across: tuple[float, float], up: tuple[float, float], size: tuple[int, int]
) -> list[tuple[int, int]]:
    """Points as (column, row) of a grid of `size`, row 0 on top."""
    wide, tall = size[0] - 1, size[1] - 1
    run, rise = (across[1] - across[0]) or 1.0, up[1] - up[0]
    return [(round((x - across[0]) / run * wide), round((up[1] - y) / rise * tall)) for x, y in points]


class _Canvas:
    """A grid of characters, each of 2×4 dots in braille, two halves in blocks, or one mark in ASCII."""

    def __init__(self, columns: int, rows: int, how: Drawing) -> None:
        self._how: Drawing = how
        self._cell = _CELL[how]
        self._dots = [[0] * columns for _ in range(rows)]
        self._series = [[0] * columns for _ in range(rows)]
        self._marked: set[tuple[int, int]] = set()
        self.size = (columns * self._cell[0], rows * self._cell[1])

    def draw(self, pixels: list[tuple[int, int]], index: int) -> None:
        """A line through the pixels, dashed by the number of its series."""
        dashes = (1,) if self._how == "ascii" else _DASHES[index % len(_DASHES)]
        if len(pixels) == 1:
            pixels = pixels * 2
        step = 0
        for (x0, y0), (x1, y1) in pairwise(pixels):
            length = max(abs(x1 - x0), abs(y1 - y0), 1)
            for i in range(length + 1):
                if dashes[step % len(dashes)]:
                    self._dot(round(x0 + (x1 - x0) * i / length), round(y0 + (y1 - y0) * i / length), index)
                step += i < length

    def mark(self, pixels: list[tuple[int, int]], index: int) -> None:
        """The series' mark at its end and at a few places before it, which differ from series to series."""
        for spot in range(_SPOTS if pixels else 0):
            at = len(pixels) - 1 - spot * len(pixels) // _SPOTS - (index if spot else 0)
            x, y = pixels[max(at, 0)]
            cell = (x // self._cell[0], y // self._cell[1])
            if cell not in self._marked:
                self._marked.add(cell)
                self._series[cell[1]][cell[0]] = index

    def _dot(self, x: int, y: int, index: int) -> None:
        (across, down), (column, row) = self._cell, (x // self._cell[0], y // self._cell[1])
        self._dots[row][column] |= _BRAILLE[y % down][x % across] if self._how == "braille" else 1 << (y % down)
        self._series[row][column] = index

    def row(self, row: int) -> Text:
        """One line of characters in the colours of their series."""
        text = Text()
        run, colour = "", ""
        for column, (dots, index) in enumerate(zip(self._dots[row], self._series[row], strict=True)):
            place = index % len(COLOURS)
            if (column, row) in self._marked or (dots and self._how == "ascii"):
                shown = MARKS[self._how][place]
            else:
                shown = (chr(0x2800 + dots) if self._how == "braille" else _HALVES[dots]) if dots else " "
            if shown != " " and colour != COLOURS[place]:  # a blank has any colour: few long spans are drawn quickly
                text.append(run, style=colour)
                run, colour = "", COLOURS[place]
            run += shown
        return text.append(run, style=colour)
