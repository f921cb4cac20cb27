"""What a lab's run came to, in a headline and in bars; and what a student has done with a lab, in words.

A result is the document of `tlcourse lab run --json`, as plain values. Marks are those of `marks.py`.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import Any, NamedTuple

from tlcourse.course.lab import Lab
from tlcourse.presenting.marks import TRACK, Line, Run, joined, whiskers
from tlcourse.presenting.words import number
from tlcourse.text import counted

ROLE = {"method": "$method", "control": "$control", "baseline": "$muted", "oracle": "$muted"}
"""The colour of the word that says what an arm is for."""
_NARROWEST, _SHORTEST = 20, 7


class Headline(NamedTuple):
    """A mark, its role, and the words after it."""

    mark: str
    role: str
    words: str


def headline(lab: Lab, result: Mapping[str, Any], predicted: bool | None = None) -> Headline:
    """The verdict in a line: `✓ You were right: CORAL +0.083 (0.060 to 0.110)`.

    Args:
        lab: What was run.
        result: What came of it.
        predicted: Whether the student's prediction was right; None where nothing was predicted.
    """
    found = gain(lab, result)
    agrees = _as_claimed(lab, result)
    if not agrees:
        return Headline("·", "$partial", f"Not what is claimed, in this run: {found}")
    if predicted is None:
        return Headline("✓", "$done", f"As claimed: {found}")
    if predicted:
        return Headline("✓", "$done", f"You were right: {found}")
    return Headline("✗", "$wrong", f"Not as you predicted: {found}")


def gain(lab: Lab, result: Mapping[str, Any]) -> str:
    """Method against control with its interval, the way round that the measure has: `CORAL +0.083 (0.060 to 0.110)`."""
    titles = {arm.id: arm.title for arm in lab.arms}
    sign = 1.0 if lab.measure.better == "higher" else -1.0
    low, high = result["gain_interval"]
    value = sign * float(result["gain"])
    unit = f" {lab.measure.unit}" if lab.measure.unit else ""
    said = f"{titles[lab.compare.method]} {_signed(value)}{unit}"
    if low is None or high is None:
        return f"{said} with one seed, which may be chance"
    ends = sorted((sign * low, sign * high))
    return f"{said} ({_signed(ends[0])} to {_signed(ends[1])})"


def _as_claimed(lab: Lab, result: Mapping[str, Any]) -> bool:
    """With one seed its sign alone can be looked at."""
    if result["holds"] is not None:
        return bool(result["holds"])
    return lab.compare.effect == "null" or float(result["gain"]) > 0


def _signed(value: float) -> str:
    text = f"{value:+.3f}" if abs(value) < 100 else f"{value:+.4g}"
    return text.replace("-", "−")


def seeds(result: Mapping[str, Any]) -> str:
    """`8 seeds`."""
    return counted(len(result["seeds"]), "seed")


def better(lab: Lab) -> str:
    """`accuracy on the target – higher is better`."""
    return f"{lab.measure.title} – {lab.measure.better} is better"


def bars(lab: Lab, result: Mapping[str, Any], width: int, keys: Mapping[str, Run] | None = None) -> list[Line]:
    """Each arm's mean as a bar with its interval as whiskers, and the paper's figure as a tick; the axis ends them.

    Titles are never cut: where bars would be short beside the longest one, each stands in a line above its bar.

    Args:
        lab: What was run.
        result: What came of it.
        width: Columns.
        keys: The mark of each arm's curve, which then stands in front of it.
    """
    arms, keys = result["arms"], keys or {}
    low, high = _ends(arms)
    papers = {arm["id"]: next(iter(arm["paper"].values()), None) for arm in arms}
    values = {arm["id"]: _values(arm) for arm in arms}
    key = max((len(run.text) + 1 for run in keys.values()), default=0)
    beside = max(len(text) for text in values.values())
    paper = max((len(_paper(value)) for value in papers.values()), default=0)
    wide_title = max(len(arm["title"]) for arm in arms) + 1
    if above := width - key - wide_title - beside - 2 < _SHORTEST:
        wide_title = 0
    room = width - key - wide_title - beside - 2
    if room - paper >= _NARROWEST:
        room -= paper
    else:
        paper = 0
    room = max(room, 4)
    lines: list[Line] = []
    for arm in arms:
        compared = arm["id"] in (lab.compare.method, lab.compare.control)
        role, weight = _role(lab, arm), "bold" if arm["id"] == lab.compare.method else ""
        mark = keys.get(arm["id"], Run(""))
        ends = tuple(arm["mean"] if end is None else end for end in arm["interval"])
        drawn = whiskers(arm["mean"], (ends[0], ends[1]), (low, high), room, role, tick=papers[arm["id"]])
        title = [
            Run(mark.text.ljust(key), mark.style),
            Run(arm["title"].ljust(wide_title), weight if compared else "$muted"),
        ]
        if above:
            lines.append(joined(title))
            title = [Run(" " * key, "")]
        lines.append(
            joined(
                [
                    *title,
                    *drawn,
                    Run("  " + values[arm["id"]].ljust(beside), weight if compared else "$muted"),
                    Run(_paper(papers[arm["id"]]) if paper else "", "$muted"),
                ]
            )
        )
    begin, end = number(low), number(high)
    axis = begin + "─" * max(room - len(begin) - len(end), 1) + end
    lines.append([Run(" " * (key + wide_title) + axis, "$muted")])
    return lines


def _role(lab: Lab, arm: Mapping[str, Any]) -> str:
    """Those that are compared have the colours; other methods and controls stand back."""
    if arm["id"] == lab.compare.method:
        return ROLE["method"]
    return ROLE["control"] if arm["id"] == lab.compare.control else TRACK


def _ends(arms: list[dict[str, Any]]) -> tuple[float, float]:
    """From zero, so that lengths compare; to 1 where shares are shown."""
    shown = [number for arm in arms for number in (arm["mean"], *arm["interval"], *arm["paper"].values())]
    finite = [number for number in shown if number is not None and math.isfinite(number)] or [1.0]
    low, high = min(0.0, *finite), max(finite)
    return low, 1.0 if 0.5 < high <= 1 else high if high > low else low + 1


def _values(arm: Mapping[str, Any]) -> str:
    low, high = arm["interval"]
    digits = 3 if abs(arm["mean"]) < 10 else 1
    interval = f" ± {(high - low) / 2:.{digits}f}" if low is not None else ""
    return f"{arm['mean']:>6.{digits}f}{interval}"


def _paper(value: float | None) -> str:
    return f"  ◆ {value:g} in the paper" if value is not None else ""


def cut(text: str, width: int) -> str:
    """As many of its words as fit; a word alone that is too long is cut."""
    if len(text) <= width:
        return text
    words = textwrap.shorten(text, max(width, 2), placeholder=" …")
    return words if words != "…" else text[: width - 1] + "…"


def state(prediction: bool | None, runs: int) -> Run:
    """What a student has done with a lab: `not tried`, `predicted`, `✓ right`, `✗ wrong`, with how many runs."""
    said = f", {counted(runs, 'run')}" if runs else ""
    if prediction is None:
        return Run(f"● {counted(runs, 'run')}", "$partial") if runs else Run("○ not tried", "$muted")
    if not runs:
        return Run("◐ predicted", "$partial")
    return Run(f"✓ right{said}", "$done") if prediction else Run(f"✗ wrong{said}", "$wrong")
