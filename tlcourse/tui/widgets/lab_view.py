"""What a lab shows: curves of all arms by metric, and the table of what it came to. Numbers to text, nothing else."""

from __future__ import annotations

import contextlib
from typing import Any

from rich.text import Text

from tlcourse.course.lab import Lab
from tlcourse.tui.widgets.chart import Points, chart, number

_MOST_PANELS = 3
_ROWS = 8


class Curves:
    """The metrics of one child's present seed, by metric and arm."""

    def __init__(self) -> None:
        self._series: dict[str, dict[str, list[tuple[float, float]]]] = {}
        self._fresh = False

    def take(self, event: dict[str, Any]) -> bool:
        """Note an event; whether the curves look different now."""
        if event.get("seed_group", 0) != 0:
            return False
        if event["type"] == "seed":  # the next metric belongs to another seed
            self._fresh = True
        if event["type"] != "metric":
            return False
        if self._fresh:
            self._series, self._fresh = {}, False
        for name, value in event["values"].items():
            arm, _, metric = name.rpartition(" ")
            with contextlib.suppress(ValueError):
                self._series.setdefault(metric, {}).setdefault(arm, []).append((event["step"], float(value)))
        return True

    def text(self, width: int, *, ascii_only: bool) -> Text:
        """A panel for each metric."""
        text = Text(no_wrap=True, overflow="crop")
        for metric, arms in list(self._series.items())[-_MOST_PANELS:]:
            series: dict[str, Points] = dict(arms)
            text.append_text(chart(metric, series, width, _ROWS, ascii_only=ascii_only))
            text.append("\n")
        return text


def table(lab: Lab, result: dict[str, Any]) -> Text:
    """Each arm's mean with its interval, the paper's figure beside it, and the verdict."""
    better = "higher is better" if lab.measure.better == "higher" else "lower is better"
    text = Text(f"{lab.measure.title} ({better})\n", style="bold")
    for arm in result["arms"]:
        low, high = arm["interval"]
        spread = f"  {number(low)} to {number(high)}" if low is not None else ""
        style = "bold" if arm["role"] == "method" else "not bold"
        text.append(f"  {arm['title'][:30]:<31}{arm['role']:<9}{number(arm['mean']):>7}{spread}", style=style)
        for figure in arm["paper"].values():
            text.append(f"  paper {figure:g}", style="dim")
        text.append("\n")
    for paper in lab.paper:
        text.append(f"  Paper: {paper.title}. {paper.note}".rstrip() + "\n", style="dim")
    holds = {True: ("✓ ", "#009E73"), False: ("✗ ", "#D55E00"), None: ("· ", "#E69F00")}[result["holds"]]
    text.append(holds[0], style=f"bold {holds[1]}")
    return text.append(result["verdict"] + "\n", style="not bold")
