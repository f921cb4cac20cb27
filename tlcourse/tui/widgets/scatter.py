"""Features in two dimensions, before and after adaptation: coloured and shaped by domain. Numbers to text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from tlcourse.labs.embedding import distance, titled
from tlcourse.presenting.words import drawing
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.chart import COLOURS

_MARKS = {"braille": "○▲◆", "block": "░█▓", "ascii": "o+#"}  # source, target, both in one place
_NAMES = ("source", "target", "both")
_NARROWEST = 34
"""Columns of a picture that stands beside another one."""


def scatter(event: Mapping[str, Any], width: int, height: int, *, ascii_only: bool = False) -> list[Text]:
    """A picture of `height` lines, each `width` wide: a title, then the points, and nothing that is not a number."""
    marks, rows = _MARKS[drawing(ascii_only)], max(height - 1, 1)
    placed = [
        (float(x), float(y), int(domain))
        for (x, y), domain in zip(event["points"], event["domain"], strict=True)
        if math.isfinite(x) and math.isfinite(y)
    ]
    cells: dict[tuple[int, int], int] = {}
    if placed:
        (left, right), (low, high) = (_ends([point[axis] for point in placed]) for axis in (0, 1))
        for x, y, domain in placed:
            cell = (round((high - y) / (high - low) * (rows - 1)), round((x - left) / (right - left) * (width - 1)))
            cells[cell] = domain if cells.get(cell, domain) == domain else 2
    lines = [Text(titled(event)[:width].ljust(width), style="bold")]
    for row in range(rows):
        here = {column: which for (at, column), which in cells.items() if at == row}
        line = Text("".join(marks[here[column]] if column in here else " " for column in range(width)))
        for column, which in here.items():
            line.stylize(COLOURS[which], column, column + 1)
        lines.append(line)
    return lines


def pictures(events: Sequence[Mapping[str, Any]], width: int, *, ascii_only: bool = False) -> Text:
    """All pictures of a run, two beside each other where they fit, with what the shapes mean and how far it is."""
    text = Text(no_wrap=True, overflow="crop")
    if not events:
        return text
    beside = 2 if width >= 2 * _NARROWEST + 2 and len(events) > 1 else 1
    wide = min((width - 2 * (beside - 1)) // beside, 48)
    for start in range(0, len(events), beside):
        drawn = [scatter(one, wide, wide // 3 + 1, ascii_only=ascii_only) for one in events[start : start + beside]]
        for parts in zip_longest(*drawn):
            text.append_text(Text("  ").join(part for part in parts if part is not None)).append("\n")
    for which, mark in enumerate(_MARKS[drawing(ascii_only)]):
        text.append(f"{mark} ", style=COLOURS[which]).append(f"{_NAMES[which]}  ")
    text.append("\n")
    for one in events:
        text.append(f"{titled(one)}: {distance(one)}"[:width] + "\n", style="dim")
    return text


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
