"""Numbers, bars, times, deadlines, curves, pictures of features and phases in words, and what a terminal can show."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tlcourse.course.deadline import Deadline, LateRule
from tlcourse.grading.lateness import Late
from tlcourse.text import SIGN

if TYPE_CHECKING:
    from tlcourse.course.check_rule import CheckRule
    from tlcourse.grading.result import CheckResult

Drawing = Literal["braille", "block", "ascii"]
"""What curves are made of."""
Points = Sequence[tuple[float, float]]
"""(step, value) pairs in the order of their steps; values may be NaN or infinite, and are then left out."""

PHASES = {
    "load": "loading the solution",
    "fit": "training",
    "export": "calling the module, and handing it out",
    "fitted": "trained",
    "predict": "predicting",
}
"""The phases of a run, as its worker names them."""
_EACH = {"day": "a day", "hour": "an hour"}
_HUGE = 1e300  # larger values are shown as not finite: their differences would not be


def drawing(ascii_only: bool = False) -> Drawing:
    """What this terminal can show: the Linux console's fonts have half-blocks, and no braille."""
    return "ascii" if ascii_only else "block" if os.environ.get("TERM", "") in ("linux", "vt220") else "braille"


def number(value: float) -> str:
    """At most seven characters."""
    text = f"{value:.3g}"
    return text if len(text) <= 7 else f"{value:.1e}"


def bar(direction: str, threshold: float, unit: str = "") -> str:
    """`≥ 0.94`, `≤ 1.5 px`."""
    return f"{SIGN[direction]} {threshold:g} {unit}".rstrip()


def required(rule: CheckRule | CheckResult) -> str:
    """What a check asks for: `≥ 0.94`, `points for each right share`, `≤ 3 bits: 2, ≤ 2 bits: 5`; `…, on top`."""
    said = bar(rule.direction, rule.threshold, rule.unit)
    if rule.credit == "share":
        said = "points by the share that is right"
    elif rule.credit == "steps":
        ordered = sorted(dict(rule.steps).items(), key=lambda step: step[1])
        said = ", ".join(f"{bar(rule.direction, value, rule.unit)}: {got:g}" for value, got in ordered)
    return f"{said}, on top of the maximum" if rule.bonus else said


def ordinal(number: int) -> str:
    """`1st`, `22nd`, `113th`."""
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"


def points(got: float | None, most: float) -> str:
    """`4 of 5 points`; before there is a verdict `– of 5 points`."""
    return f"{'–' if got is None else f'{got:g}'} of {most:g} points"


def in_points(got: float) -> str:
    """`1 point`, `2.5 points`."""
    return f"{got:g} point{'s' * (got != 1)}"


def duration(seconds: float) -> str:
    """`40 s`, `9 min`, `2 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def time_asked(asked: float, limit_s: float) -> str:
    """`60 s asked for; stopped at 180 s`."""
    return f"{asked:g} s asked for; stopped at {limit_s:g} s"


def due(deadline: Deadline | Late) -> str:
    """`2026-11-20 23:59 (Europe/Copenhagen)`."""
    return f"{deadline.due.replace('T', ' ').removesuffix(':00')} ({deadline.zone})"


def late_rule(rule: LateRule) -> str:
    """What being late costs, for those who hand in: `10 % of the points earned for each day begun; …`."""
    said = []
    if rule.penalty:
        of = "points earned" if rule.of == "earned" else "maximum"
        floor = f", down to {rule.floor:g} %" if rule.floor else ""
        said.append(f"{rule.penalty:g} % of the {of} for each {rule.per} begun{floor}")
    if rule.cut_off_days is not None:
        after = f"more than {_days(rule.cut_off_days)} late" if rule.cut_off_days else "late"
        said.append(f"what comes {after} counts for nothing")
    if rule.costs and rule.free_days:
        where = "in the whole course" if rule.free_days_for == "course" else "in each exercise"
        said.append(f"{_days(rule.free_days)} cost nothing {where}")
    if rule.costs and rule.grace_minutes > 1:
        said.append(f"the first {rule.grace_minutes:g} minutes are in time")
    return "; ".join(said) or "nothing is taken off"


def lateness(late: Late) -> str:
    """`2 days late, 10 % a day`, with all of the rule that was used; "" for what is in time, or of no known time."""
    if not late.days:
        return ""
    rule = late.rule
    by_hour = rule.per == "hour" and not late.free
    said = f"{late.charged} hour{'s' * (late.charged != 1)} late" if by_hour else f"{_days(late.days)} late"
    if late.free:
        said += f", {late.free} free"
        said += f", then {late.charged} h" if rule.per == "hour" and late.charged else ""
    if late.cut and rule.cut_off_days is not None:
        said += f", nothing counts after {_days(rule.cut_off_days)}" if rule.cut_off_days else ", nothing late counts"
    elif late.charged and rule.penalty:
        said += f", {rule.penalty:g} %{' of the maximum' if rule.of == 'maximum' else ''} {_EACH[rule.per]}"
        said += f", down to {rule.floor:g} %" if rule.floor else ""
    if late.whose != "class":
        said += f", extended to {due(late)}"
    return said + (", at the earlier of two hours that its time may mean" if late.doubt else "")


def taken_off(before: float, after: float, late: Late) -> str:
    """`8 → 6.4: 2 days late, 10 % a day`."""
    return f"{before:g} → {after:g}: {lateness(late)}"


def _days(number: int) -> str:
    return f"{number} day{'s' * (number != 1)}"


def ago(seconds: float) -> str:
    """How long ago, roughly."""
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min ago"
    return f"{seconds / 3600:.0f} h ago" if seconds < 86400 else f"{seconds / 86400:.0f} days ago"


def finite(values: Points) -> list[tuple[float, float]]:
    """The points that can be drawn."""
    return [(x, y) for x, y in values if math.isfinite(x) and abs(y) < _HUGE]


def curve(name: str, values: Points) -> str:
    """The curve of one metric in a sentence."""
    kept = finite(values)
    if not kept:
        return f"{name} has no finite value yet."
    (first, start), (last, end) = kept[0], kept[-1]
    if len(kept) == 1:
        said = f"{name} is {number(end)} at step {number(last)}."
    else:
        verb = "rose" if end > start else "fell" if end < start else "stayed"
        values_ = f"at {number(end)}" if end == start else f"from {number(start)} to {number(end)}"
        said = f"{name} {verb} {values_} from step {number(first)} to {number(last)}."
    lost = len(values) - len(kept)
    return said + (f" {lost} value{'s were' if lost > 1 else ' was'} not finite." if lost else "")


def domains_apart(event: Mapping[str, Any]) -> float:
    """The distance of the domains' centres in standard deviations of a point from its own centre; 0 for one domain."""
    groups = _by_domain(event)
    if not all(groups):
        return 0.0
    centres = [_centre(points) for points in groups]
    squares = [
        math.dist(point, centre) ** 2 for points, centre in zip(groups, centres, strict=True) for point in points
    ]
    return math.dist(*centres) / (math.sqrt(sum(squares) / len(squares)) or 1.0)


def covariances_apart(event: Mapping[str, Any]) -> float:
    """The norm of the difference of the domains' covariances over the mean of their norms; 0 where they are equal."""
    groups = _by_domain(event)
    if not all(groups):
        return 0.0
    one, other = (_covariance(points) for points in groups)
    difference = math.hypot(*(a - b for a, b in zip(one, other, strict=True)))
    return difference / ((math.hypot(*one) + math.hypot(*other)) / 2 or 1.0)


def _by_domain(event: Mapping[str, Any]) -> list[list[tuple[float, float]]]:
    return [
        [(x, y) for (x, y), domain in zip(event["points"], event["domain"], strict=True) if domain == which]
        for which in (0, 1)
    ]


def _covariance(points: list[tuple[float, float]]) -> tuple[float, float, float, float]:
    x, y = _centre(points)
    n = len(points)
    across = sum((a - x) * (b - y) for a, b in points) / n
    return sum((a - x) ** 2 for a, _ in points) / n, across, across, sum((b - y) ** 2 for _, b in points) / n


def embedding_method(event: Mapping[str, Any]) -> str:
    """`pca` or `tsne`; runs that were kept before there were two have no word for it, and are PCA."""
    return str(event.get("method", "pca"))


def embedding_title(event: Mapping[str, Any]) -> str:
    """Its title, with what it was made by where that is not PCA."""
    return str(event["title"]) + (" (t-SNE)" if embedding_method(event) == "tsne" else "")


def embedding(event: Mapping[str, Any], measure: str = "centres") -> str:
    """The picture as a sentence; `measure` is what the lab's method moves."""
    target = sum(event["domain"])
    counted = f"{embedding_title(event)}: {len(event['points']) - target} source and {target} target points"
    return f"{counted}; {embedding_distance(event, measure)}"


def embedding_distance(event: Mapping[str, Any], measure: str = "centres") -> str:
    """How far the domains lie apart by their `centres` or `covariances`, where the picture can say so."""
    if embedding_method(event) == "tsne":
        return "only who is near whom counts; the distance between groups means nothing"
    if measure == "covariances":
        return f"their covariances differ by {covariances_apart(event):.0%}"
    return f"their centres lie {domains_apart(event):.2f} standard deviations apart"


def embedding_change(before: Mapping[str, Any], after: Mapping[str, Any], measure: str = "centres") -> str:
    """The same of two pictures: how far the domains lay apart, and how far they lie apart then."""
    if embedding_method(after) == "tsne":
        return embedding_distance(after)
    if measure == "covariances":
        return f"covariances differ by {covariances_apart(before):.0%}, then by {covariances_apart(after):.0%}"
    return f"centres {domains_apart(before):.2f}, then {domains_apart(after):.2f} standard deviations apart"


def _centre(points: list[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
