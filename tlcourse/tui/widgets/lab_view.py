"""What a lab shows: curves of all arms by metric, features before and after adaptation, and the table of its result."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from tlcourse.course.lab import Lab
from tlcourse.presenting.words import Points, drawing, embedding_distance, embedding_method, embedding_title, number
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.chart import COLOURS, chart, legend

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
    lines = [Text(embedding_title(event)[:width].ljust(width), style="bold")]
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
        text.append(f"{embedding_title(one)}: {embedding_distance(one)}"[:width] + "\n", style="dim")
    return text


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


_MOST_PANELS = 3
_ROWS = 8


class Curves:
    """The metrics of one child's present seed, by metric and arm, and its pictures of features."""

    def __init__(self) -> None:
        self.series: dict[str, dict[str, list[tuple[float, float]]]] = {}
        self._embeddings: dict[str, dict[str, Mapping[str, Any]]] = {}  # by method, then by title
        self._fresh = False

    def take(self, event: dict[str, Any]) -> bool:
        """Note an event; whether something looks different now."""
        if event.get("seed_group", 0) != 0:
            return False
        if event["type"] == "seed":  # the next metric belongs to another seed
            self._fresh = True
        if event["type"] not in ("metric", "embedding"):
            return False
        if self._fresh:
            self.series, self._embeddings, self._fresh = {}, {}, False
        if event["type"] == "embedding":
            self._embeddings.setdefault(embedding_method(event), {})[event["title"]] = event
            return True
        for name, value in event["values"].items():
            arm, _, metric = name.rpartition(" ")
            with contextlib.suppress(ValueError):
                self.series.setdefault(metric, {}).setdefault(arm, []).append((event["step"], float(value)))
        return True

    @property
    def pictured_by(self) -> list[str]:
        """The methods of its pictures, `pca` first."""
        return sorted(self._embeddings)

    def text(
        self, width: int, *, ascii_only: bool, earlier: Mapping[int, Curves] | None = None, by: str = "pca"
    ) -> Text:
        """A panel for each metric, its legend below it, and the pictures.

        `earlier` are other runs by their number; `by` is how features are pictured, where there are such pictures.
        """
        text = Text(no_wrap=True, overflow="crop")
        metrics = {name: _with_earlier(name, arms, earlier or {}) for name, arms in self._shown(earlier or {}).items()}
        names = dict.fromkeys(name for series in metrics.values() for name in series)
        places = {name: place for place, name in enumerate(names)}
        for metric, series in metrics.items():
            text.append_text(chart(metric, series, width, _ROWS, ascii_only=ascii_only, places=places)).append("\n")
            text.append_text(legend(series, places, width, ascii_only=ascii_only)).append("\n")
        if self._embeddings:
            shown = self._embeddings.get(by) or next(iter(self._embeddings.values()))
            text.append("\n").append_text(pictures(list(shown.values()), width, ascii_only=ascii_only))
        if len(self._embeddings) > 1:
            other = "the principal components" if by == "tsne" else "t-SNE"
            text.append(f"t shows {other}\n", style="dim")
        return text

    def _shown(self, earlier: Mapping[int, Curves]) -> Mapping[str, Mapping[str, Points]]:
        """The latest metrics; before a run has any, those of the earlier runs, without arms of their own."""
        names = list(self.series) or list(dict.fromkeys(name for run in earlier.values() for name in run.series))
        return {name: self.series.get(name, {}) for name in names[-_MOST_PANELS:]}


def _with_earlier(metric: str, arms: Mapping[str, Points], earlier: Mapping[int, Curves]) -> dict[str, Points]:
    series = dict(arms)
    for number_of_run, run in earlier.items():
        series |= {f"{arm} (run {number_of_run})": points for arm, points in run.series.get(metric, {}).items()}
    return series


def of_events(events: Iterable[dict[str, Any]], arms: Iterable[str]) -> Curves:
    """The curves of a kept run, of these arms only: with all arms of several runs nobody could tell them apart."""
    curves, kept = Curves(), set(arms)
    for event in events:
        curves.take(event)
    curves.series = {
        metric: chosen
        for metric, series in curves.series.items()
        if (chosen := {arm: points for arm, points in series.items() if arm in kept} or series)
    }
    return curves


def table(lab: Lab, result: dict[str, Any]) -> Text:
    """Each arm's mean with its interval, the paper's figure beside it, and the verdict."""
    better = "higher is better" if lab.measure.better == "higher" else "lower is better"
    text = Text(f"{lab.measure.title} ({better})\n", style="bold")
    for arm in result["arms"]:
        low, high = arm["interval"]
        interval = f"  {number(low)} to {number(high)}" if low is not None else ""
        style = "bold" if arm["role"] == "method" else "not bold"
        text.append(f"  {arm['title'][:30]:<31}{arm['role']:<9}{number(arm['mean']):>7}{interval}", style=style)
        for figure in arm["paper"].values():
            text.append(f"  paper {figure:g}", style="dim not bold")
        text.append("\n")
    for paper in lab.paper:
        text.append(f"  Paper: {paper.title}. {paper.note}".rstrip() + "\n", style="dim not bold")
    holds = {True: ("✓ ", "$good"), False: ("✗ ", "$bad"), None: ("· ", "$doubt")}[result["holds"]]
    text.append(holds[0], style=f"bold {holds[1]}")
    return text.append(result["verdict"] + "\n", style="not bold")
