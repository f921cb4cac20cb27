"""What a lab shows: curves of all arms by metric, and features before and after adaptation, as large as there is room.

An arm has one colour, one mark and one kind of dashes in all of it: those that are compared have the colours of their
roles. Drawing is functions from numbers to text; `Drawn` calls one with the size that it has.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from textual.geometry import Size
from textual.widget import Widget

from tlcourse.course.lab import Lab
from tlcourse.presenting.marks import Run, share_bar
from tlcourse.presenting.words import (
    Points,
    drawing,
    embedding_change,
    embedding_distance,
    embedding_method,
    embedding_title,
    number,
)
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.chart import COLOURS, MARKS, chart, legend

_MARKS = {"braille": "○▲◆", "block": "░█▓", "ascii": "o+#"}  # source, target, both in one place
_NAMES = ("source", "target", "both")
_ROLES = ("$source", "$target", "$muted")
_NARROWEST = 26
"""Columns of a picture, or a panel, that stands beside another one."""
_MOST_PANELS = 3
_METHOD, _CONTROL = 3, 7
"""The places of the colours that `$method` and `$control` have."""
_OTHERS = (2, 4, 5, 6, 0, 1)


class Drawn(Widget):
    """Text that is drawn for the size that it is shown at."""

    def __init__(self, draw: Callable[[int, int], Text], **how: Any) -> None:
        super().__init__(**how)
        self._draw = draw
        self._lines = 0

    def render(self) -> Text:
        """The text, for the present size."""
        auto = self.styles.height is not None and self.styles.height.is_auto
        return self._draw(max(self.content_size.width, 20), 0 if auto else self.content_size.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Where its height is `auto`: as many lines as it has."""
        self._lines = self._draw(max(width, 20), 0).plain.count("\n") + 1
        return self._lines

    def redraw(self) -> None:
        """What it draws has changed; nothing else moves where it has as many lines as before."""
        height = self.styles.height
        grown = height is not None and height.is_auto
        grown = grown and self._draw(max(self.content_size.width, 20), 0).plain.count("\n") + 1 != self._lines
        self.refresh(layout=grown)


def places_of(lab: Lab, names: Iterable[str]) -> dict[str, int]:
    """The place of each arm's colour, mark and dashes among the eight; other names get what is left."""
    kept = {lab.compare.method: _METHOD, lab.compare.control: _CONTROL}
    others = [name for name in [*(arm.id for arm in lab.arms), *names] if name not in kept]
    for place, name in enumerate(dict.fromkeys(others)):
        kept[name] = _OTHERS[place % len(_OTHERS)]
    return kept


def keys_of(lab: Lab, names: Iterable[str], *, ascii_only: bool = False) -> dict[str, Run]:
    """The mark of each arm that has curves, in its colour."""
    places, names = places_of(lab, ()), set(names)
    return {
        arm: Run(MARKS[drawing(ascii_only)][place], COLOURS[place]) for arm, place in places.items() if arm in names
    }


def scatter(event: Mapping[str, Any], width: int, height: int, *, ascii_only: bool = False) -> list[Text]:
    """A picture of `height` lines, each `width` wide: a title, then the points, and nothing that is not a number.

    The shape of a point is its domain, its colour its class; where there is one class, the colour is the domain's.
    """
    marks, rows = _MARKS[drawing(ascii_only)], max(height - 1, 1)
    placed = [
        (float(x), float(y), int(domain), int(label))
        for (x, y), domain, label in zip(event["points"], event["domain"], event["label"], strict=True)
        if math.isfinite(x) and math.isfinite(y)
    ]
    by_class = len({label for *_, label in placed}) > 1
    cells: dict[tuple[int, int], tuple[int, str]] = {}
    if placed:
        (left, right), (low, high) = event.get("ends") or [_ends([p[axis] for p in placed]) for axis in (0, 1)]
        for x, y, domain, label in placed:
            cell = (round((high - y) / (high - low) * (rows - 1)), round((x - left) / (right - left) * (width - 1)))
            which = domain if cells.get(cell, (domain, ""))[0] == domain else 2
            cells[cell] = (which, COLOURS[label % len(COLOURS)] if by_class else _ROLES[which])
    lines = [Text(embedding_title(event)[:width].ljust(width), style="bold")]
    for row in range(rows):
        here = {column: found for (at, column), found in cells.items() if at == row}
        line = Text("".join(marks[here[column][0]] if column in here else " " for column in range(width)))
        for column, (_, colour) in here.items():
            line.stylize(colour, column, column + 1)
        lines.append(line)
    return lines


def pictures(
    events: Sequence[Mapping[str, Any]],
    width: int,
    height: int = 0,
    *,
    ascii_only: bool = False,
    measure: str = "centres",
) -> Text:
    """All pictures of a run, two beside each other where they fit, with what the shapes mean and how far it is.

    `height` are the lines that they may take, 0: as many as look well. `measure` is what the lab's method moves.
    """
    text = Text(no_wrap=True, overflow="crop")
    if not events:
        return text
    beside = 2 if width >= 2 * _NARROWEST + 2 and len(events) > 1 else 1
    wide = (width - 2 * (beside - 1)) // beside
    rows = -(-len(events) // beside)
    tall = max((height - 2) // rows, 4) if height else min(wide, 48) // 3 + 1
    wide = min(wide, tall * 4)  # a cell is about half as wide as it is tall
    for start in range(0, len(events), beside):
        drawn = [scatter(one, wide, tall, ascii_only=ascii_only) for one in events[start : start + beside]]
        for parts in zip_longest(*drawn):
            text.append_text(Text("  ").join(part for part in parts if part is not None)).append("\n")
    domains = {int(domain) for one in events for domain in one["domain"]}
    by_class = len({int(label) for one in events for label in one["label"]}) > 1
    for which, mark in enumerate(_MARKS[drawing(ascii_only)]):
        if which in domains or (which == 2 and len(domains) > 1):
            text.append(f"{mark} ", style="" if by_class else _ROLES[which]).append(f"{_NAMES[which]}  ")
    text.append("colour: class\n" if by_class else "\n", style="$muted")
    if len(domains) < 2:
        return text
    said = (
        embedding_change(events[0], events[-1], measure) if len(events) > 1 else embedding_distance(events[0], measure)
    )
    return text.append(said[:width], style="$muted")


def between(before: Mapping[str, Any], after: Mapping[str, Any], share: float) -> Mapping[str, Any]:
    """The picture on its way from `before` to `after`, where both have the same points; else one of the two.

    Both are first brought to one size, and `after` is turned and mirrored so that points move as little as can be: the
    signs of principal components mean nothing.
    """
    same = all(before[name] == after[name] for name in ("domain", "label"))
    if share >= 1 or not same or not before["points"]:
        return after if share > 0 else before
    start, end = _unit(before["points"]), _unit(after["points"])
    end = min((_turned(start, shape) for shape in (end, [(x, -y) for x, y in end])), key=lambda s: _apart(start, s))
    points = [(a + (c - a) * share, b + (d - b) * share) for (a, b), (c, d) in zip(start, end, strict=True)]
    return {**after, "points": points, "title": f"{before['title']} → {after['title']}"}


def _unit(points: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Moved to their centre, and scaled to a mean square distance of 1."""
    n = len(points)
    x, y = sum(p[0] for p in points) / n, sum(p[1] for p in points) / n
    size = math.sqrt(sum((p[0] - x) ** 2 + (p[1] - y) ** 2 for p in points) / n) or 1.0
    return [((p[0] - x) / size, (p[1] - y) / size) for p in points]


def _turned(like: Sequence[tuple[float, float]], shape: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """`shape` turned about its centre to lie as near to `like` as it can."""
    along = sum(a * c + b * d for (a, b), (c, d) in zip(like, shape, strict=True))
    across = sum(b * c - a * d for (a, b), (c, d) in zip(like, shape, strict=True))
    angle = math.atan2(across, along)
    cos, sin = math.cos(angle), math.sin(angle)
    return [(cos * x - sin * y, sin * x + cos * y) for x, y in shape]


def _apart(one: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]]) -> float:
    return sum(math.dist(a, b) ** 2 for a, b in zip(one, other, strict=True))


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


class Curves:
    """The metrics of one child's present seed, by metric and arm, and its pictures of features."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.series: dict[str, dict[str, list[tuple[float, float]]]] = {}
        self._embeddings: dict[str, dict[str, Mapping[str, Any]]] = {}  # by method, then by title
        self._fresh = False

    def take(self, event: Mapping[str, Any]) -> bool:
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

    @property
    def arms(self) -> set[str]:
        """Those that have a curve."""
        return {arm for series in self.series.values() for arm in series}

    def pictured(self, by: str = "pca") -> list[Mapping[str, Any]]:
        """Its pictures, made `by` a method where there are such ones."""
        shown = self._embeddings.get(by) or next(iter(self._embeddings.values()), {})
        return list(shown.values())

    def text(
        self, width: int, height: int = 0, *, ascii_only: bool, earlier: Mapping[int, Curves] | None = None
    ) -> Text:
        """A panel for each metric, beside each other where there is room, and one legend below them.

        `height` are the lines that there are, 0: as many as look well. `earlier` are other runs by their number.
        """
        text = Text(no_wrap=True, overflow="crop")
        metrics = {name: _with_earlier(name, arms, earlier or {}) for name, arms in self._shown(earlier or {}).items()}
        metrics = {name: arms for name, arms in metrics.items() if arms}
        if not metrics:
            return text
        names = list(dict.fromkeys(name for series in metrics.values() for name in series))
        places = places_of(self._lab, names)
        said = legend(names, places, list(metrics.values()), width, ascii_only=ascii_only)
        beside = max(min(len(metrics), (width + 2) // (_NARROWEST + 2)), 1)
        wide, rows = (width - 2 * (beside - 1)) // beside, -(-len(metrics) // beside)
        tall = max((height - said.plain.count("\n") - 1) // rows, 5) if height else 9
        drawn = [
            _panel(metric, series, wide, tall, places, ascii_only=ascii_only) for metric, series in metrics.items()
        ]
        for start in range(0, len(drawn), beside):
            for parts in zip_longest(*(one.split("\n") for one in drawn[start : start + beside])):
                for column, part in enumerate(parts):
                    line = part if part is not None else Text()
                    text.append_text(line)
                    if column < len(parts) - 1:
                        text.append(" " * (wide + 2 - line.cell_len))
                text.append("\n")
        return text.append_text(said)

    def _shown(self, earlier: Mapping[int, Curves]) -> Mapping[str, Mapping[str, Points]]:
        """The latest metrics; before a run has any, those of the earlier runs, without arms of their own."""
        names = list(self.series) or list(dict.fromkeys(name for run in earlier.values() for name in run.series))
        return {name: self.series.get(name, {}) for name in names[-_MOST_PANELS:]}


def _panel(
    metric: str, series: Mapping[str, Points], width: int, height: int, places: Mapping[str, int], *, ascii_only: bool
) -> Text:
    """The curves of a metric; where each has but one point, bars."""
    if max(map(len, series.values())) > 1:
        return chart(metric, series, width, height, ascii_only=ascii_only, places=places)
    values = {name: points[0][1] for name, points in series.items()}
    most = max((value for value in values.values() if math.isfinite(value)), default=1.0)
    longest = max(map(len, values))
    text = Text(metric, style="bold")
    for name, value in values.items():
        colour = COLOURS[places[name] % len(COLOURS)]
        share = value / most if most > 0 and math.isfinite(value) else 0.0
        text.append(f"\n{name:<{longest}} ", style="not bold")
        for run in share_bar(share, max(width - longest - 9, 4), colour):
            text.append(run.text, f"not bold {run.style}")
        text.append(f" {number(value)}", style="not bold")
    return text


def _with_earlier(metric: str, arms: Mapping[str, Points], earlier: Mapping[int, Curves]) -> dict[str, Points]:
    series = dict(arms)
    for number_of_run, run in earlier.items():
        series |= {f"{arm} (run {number_of_run})": points for arm, points in run.series.get(metric, {}).items()}
    return series


def of_events(lab: Lab, events: Iterable[Mapping[str, Any]], *, compared: bool = False) -> Curves:
    """The curves of a whole run; of the arms that are compared only, where several runs shall be told apart."""
    curves = Curves(lab)
    for event in events:
        curves.take(event)
    if compared:
        kept = {lab.compare.method, lab.compare.control}
        curves.series = {
            metric: chosen
            for metric, series in curves.series.items()
            if (chosen := {arm: points for arm, points in series.items() if arm in kept} or series)
        }
    return curves
