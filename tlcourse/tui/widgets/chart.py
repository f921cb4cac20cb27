"""Line charts of a run's metrics, in braille dots, or in ASCII where the terminal has no more.

Drawing is a function from numbers to text, so that it is tested without a screen and costs a few milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from rich.text import Text

Points = Sequence[tuple[float, float]]
"""(step, value) pairs in the order of their steps; values may be NaN or infinite, and are then left out."""

COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7")  # Okabe and Ito: told apart with any colour vision
_DASHES = ((1,), (1, 1, 1, 0, 0), (1, 0, 0), (1, 1, 0, 1, 0))  # and told apart without colour
_ASCII_MARKS = "*o+x"
_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # [row][column] of a character's 4×2 dots
_HUGE = 1e300  # larger values are shown as not finite: their differences would not be
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


def chart(title: str, series: Mapping[str, Points], width: int, height: int, *, ascii_only: bool = False) -> Text:
    """A panel of `height` lines: a heading with the latest values, the curves, and the range of the steps."""
    text = _heading(title, series, ascii_only)
    rows = max(height - 2, 1)
    columns = max(width - _LABEL - 1, 4)
    finite = {name: _finite(points) for name, points in series.items()}
    everything = [point for points in finite.values() for point in points]
    if not everything:
        text.append("\n" + " " * _LABEL + "no finite value yet")
        return text
    low, high = min(y for _, y in everything), max(y for _, y in everything)
    first, last = min(x for x, _ in everything), max(x for x, _ in everything)
    if high - low <= 1e-9 * max(abs(high), abs(low)):
        room = max(0.5, abs(high) / 2)
        low, high = low - room, high + room
    cells = _Canvas(columns, rows, ascii_only)
    for index, points in enumerate(finite.values()):
        cells.draw(_pixels(points, (first, last), (low, high), cells.size), index)
    top, bottom = _labels(low, high)
    for row in range(rows):
        label = top if row == 0 else bottom if row == rows - 1 else ""
        text.append(f"\n{label:>{_LABEL}} ", style="dim")
        text.append_text(cells.row(row))
    begin, end = number(first), number(last)
    text.append("\n" + " " * (_LABEL + 1) + begin + " " * max(columns - len(begin) - len(end), 1) + end, style="dim")
    return text


def sentence(name: str, points: Points) -> str:
    """The chart of one metric in words."""
    finite = _finite(points)
    if not finite:
        return f"{name} has no finite value yet."
    (first, start), (last, end) = finite[0], finite[-1]
    if len(finite) == 1:
        return f"{name} is {number(end)} at step {number(last)}."
    way = "rose" if end > start else "fell" if end < start else "stayed"
    lost = len(points) - len(finite)
    broken = f" {lost} value{'s were' if lost > 1 else ' was'} not finite." if lost else ""
    steps = f"from step {number(first)} to {number(last)}"
    return f"{name} {way} from {number(start)} to {number(end)} {steps}.{broken}"


def number(value: float) -> str:
    """At most seven characters."""
    text = f"{value:.3g}"
    return text if len(text) <= 7 else f"{value:.1e}"


def _labels(low: float, high: float) -> tuple[str, str]:
    """Both ends of an axis, with as many digits as tell them apart, up to six."""
    for digits in (3, 4, 5, 6):
        top, bottom = f"{high:.{digits}g}", f"{low:.{digits}g}"
        if top != bottom:
            break
    return top[:_LABEL], bottom[:_LABEL]


def _heading(title: str, series: Mapping[str, Points], ascii_only: bool) -> Text:
    text = Text(title, style="bold")
    for index, (name, points) in enumerate(series.items()):
        if not points:
            continue
        mark = _ASCII_MARKS[index % 4] * 2 if ascii_only else ("━━", "╍╍", "┈┈", "╌┈")[index % 4]
        value = points[-1][1]
        shown = number(value) if math.isfinite(value) else f"{value} (not finite: try a smaller learning rate)"
        text.append(f"  {mark} ", style=COLOURS[index % 4])
        text.append(f"{name} {shown}".strip())
    return text


def _finite(points: Points) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if math.isfinite(x) and abs(y) < _HUGE]


def _pixels(
    points: Points, across: tuple[float, float], up: tuple[float, float], size: tuple[int, int]
) -> list[tuple[int, int]]:
    """Points as (column, row) of a grid of `size`, row 0 on top."""
    wide, tall = size[0] - 1, size[1] - 1
    run, rise = (across[1] - across[0]) or 1.0, up[1] - up[0]
    return [(round((x - across[0]) / run * wide), round((up[1] - y) / rise * tall)) for x, y in points]


class _Canvas:
    """A grid of characters, each of 2×4 dots in braille, or of one mark in ASCII."""

    def __init__(self, columns: int, rows: int, ascii_only: bool) -> None:
        self._ascii = ascii_only
        self._dots = [[0] * columns for _ in range(rows)]
        self._series = [[0] * columns for _ in range(rows)]
        self.size = (columns, rows) if ascii_only else (2 * columns, 4 * rows)

    def draw(self, pixels: list[tuple[int, int]], index: int) -> None:
        """A line through the pixels, dashed by the number of its series."""
        dashes = (1,) if self._ascii else _DASHES[index % len(_DASHES)]
        if len(pixels) == 1:
            pixels = pixels * 2
        step = 0
        for (x0, y0), (x1, y1) in pairwise(pixels):
            length = max(abs(x1 - x0), abs(y1 - y0), 1)
            for i in range(length + 1):
                if dashes[step % len(dashes)]:
                    self._dot(round(x0 + (x1 - x0) * i / length), round(y0 + (y1 - y0) * i / length), index)
                step += i < length

    def _dot(self, x: int, y: int, index: int) -> None:
        column, row = (x, y) if self._ascii else (x // 2, y // 4)
        self._dots[row][column] |= 1 if self._ascii else _BRAILLE[y % 4][x % 2]
        self._series[row][column] = index

    def row(self, row: int) -> Text:
        """One line of characters in the colours of their series."""
        text = Text()
        for dots, index in zip(self._dots[row], self._series[row], strict=True):
            if not dots:
                text.append(" ")
            elif self._ascii:
                text.append(_ASCII_MARKS[index % 4], style=COLOURS[index % 4])
            else:
                text.append(chr(0x2800 + dots), style=COLOURS[index % 4])
        return text
