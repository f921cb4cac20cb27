"""What a grader measures: a value, how sure it is, and what to do next, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    import numpy as np

Z = 1.96
"""Standard errors on either side of a value that make its 95 % interval."""


class Measurement(Struct, frozen=True):
    """One measured value: its 95 % interval, how many items it rests on, and what to do next, in words.

    `kind` says how sure the value is. `proportion`: a share of n independent items. `mean`: a mean of n independent
    items, normal within `interval`. `exact`: it could not have come out otherwise, such as a number of parameters.
    `fresh` is false where every seed is measured on the same items, such as the 153 photographs: then further runs
    average out the luck of training, and not that of the items.
    """

    value: float
    n: int
    interval: tuple[float, float]
    message: str = ""
    kind: Literal["exact", "proportion", "mean"] = "exact"
    fresh: bool = True
    """Each run has other items. Where not, further runs say more about the training, and nothing about the items."""
    self_reported: bool = False
    """It rests on probes, which only the worker sees, beside student code, and which student code could forge."""

    @property
    def successes(self) -> int:
        """Of a proportion: how many of n."""
        return round(self.value * self.n)

    @property
    def standard_error(self) -> float:
        """Of a mean: what its 95 % interval says."""
        return (self.interval[1] - self.interval[0]) / (2 * Z)


def proportion(successes: float, n: int, message: str = "", *, fresh: bool = True) -> Measurement:
    """A share of n items with its score interval. `successes` are a whole number, unless they are a mean of runs."""
    return Measurement(successes / n if n else 0.0, n, wilson(successes, n), message, "proportion", fresh)


def mean(values: np.ndarray, message: str = "", *, fresh: bool = True) -> Measurement:
    """A mean of independent `values`, shape (n,), with its normal interval; summed in float64, where they have room."""
    values = values.astype("float64")
    return Measurement(float(values.mean()), int(values.size), mean_interval(values), message, "mean", fresh)


def exact(value: float, n: int = 1, message: str = "", *, self_reported: bool = False) -> Measurement:
    """A value without doubt; `self_reported` where it is made of probes."""
    return Measurement(value, n, (value, value), message, "exact", self_reported=self_reported)


LARGEST = 1e100
"""No value or end of an interval lies farther from 0, so that what is computed with them stays finite."""
_MOST_ITEMS = 2**53
_KINDS = ("exact", "proportion", "mean")


class MeasurementError(ValueError):
    """What a grader returned for a check is not a measurement; the message goes on after the check's name."""


def received(given: Any) -> Measurement:
    """What a grader returned for a check, in plain numbers: the one place that decides whether it can be a mark.

    Scalars of NumPy become Python's. Raises MeasurementError for anything but a Measurement, for a value or an interval
    that is not finite, a share outside 0 to 1, and n below 1.
    """
    if not isinstance(given, Measurement):
        raise MeasurementError(f"is a {type(given).__name__}, expected proportion(…), mean(…) or exact(…)")
    try:
        low, high = given.interval
    except (TypeError, ValueError):
        raise MeasurementError(f"has the interval {given.interval!r:.80}, expected two numbers") from None
    value, low, high = _number("value", given.value), _number("interval", low), _number("interval", high)
    n = _number("n", given.n)
    if n < 1 or n > _MOST_ITEMS or n != int(n):
        raise MeasurementError(f"rests on n = {n:g} items, expected a whole number from 1 on")
    if low > high:
        raise MeasurementError(f"has an interval from {low:g} to {high:g}, expected its lower end first")
    if not isinstance(given.kind, str) or given.kind not in _KINDS or not isinstance(given.message, str):
        raise MeasurementError(
            f"has the kind {given.kind!r:.80} and {type(given.message).__name__} for a message, expected {_KINDS}"
        )
    if given.kind == "proportion" and not 0 <= value <= 1:
        raise MeasurementError(f"is a share of {value:g}, expected 0 to 1")
    if not all(type(flag).__name__ in ("bool", "bool_") for flag in (given.fresh, given.self_reported)):  # NumPy's, too
        raise MeasurementError("has another `fresh` or `self_reported` than expected, True or False")
    message = given.message.encode("utf-8", "replace").decode("utf-8")
    return Measurement(value, int(n), (low, high), message, given.kind, bool(given.fresh), bool(given.self_reported))


def _number(name: str, given: Any) -> float:
    """A finite number of Python's own."""
    plain = given.item() if getattr(given, "shape", None) == () and hasattr(given, "item") else given
    if not isinstance(plain, int | float):
        raise MeasurementError(f"has a {type(given).__name__} for its {name}, expected a number")
    if not abs(plain) <= LARGEST:  # NaN is not, either
        raise MeasurementError(f"has {str(plain)[:40]} for its {name}, expected a finite number")
    return float(plain)


def pooled(runs: Sequence[Measurement], *, larger_is_better: bool) -> Measurement:
    """The measurements of several runs as one, in whatever order they come. An exact value is the worst of them."""
    return replace(_pooled(runs, larger_is_better=larger_is_better), self_reported=any(r.self_reported for r in runs))


def _pooled(runs: Sequence[Measurement], *, larger_is_better: bool) -> Measurement:
    worst = (min if larger_is_better else max)(runs, key=lambda run: (run.value, run.message))
    if len(runs) == 1 or worst.kind == "exact":
        return worst
    if not worst.fresh:
        return _on_the_same_items(runs, worst)
    n = sum(run.n for run in runs)
    if worst.kind == "proportion":
        return proportion(sum(run.successes for run in runs), n, worst.message)
    value = math.fsum(run.n * run.value for run in runs) / n
    half_width = Z * math.sqrt(math.fsum((run.n * run.standard_error) ** 2 for run in runs)) / n
    return Measurement(value, n, (value - half_width, value + half_width), worst.message, "mean")


def _on_the_same_items(runs: Sequence[Measurement], worst: Measurement) -> Measurement:
    """Their mean, as sure as one run is: the items are no more than before."""
    value = math.fsum(run.value for run in runs) / len(runs)
    if worst.kind == "proportion":
        return proportion(value * worst.n, worst.n, worst.message, fresh=False)
    half_width = Z * math.fsum(run.standard_error for run in runs) / len(runs)
    return Measurement(value, worst.n, (value - half_width, value + half_width), worst.message, "mean", fresh=False)


def wilson(successes: float, n: int) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927), which stays within [0, 1] and holds for p near 1."""
    if n <= 0:
        return (0.0, 1.0)
    p, z = successes / n, Z
    centre = p + z * z / (2 * n)
    half_width = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return (max(0.0, (centre - half_width) / scale), min(1.0, (centre + half_width) / scale))


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """The normal interval of a mean of independent `values`, shape (n,)."""
    n = int(values.size)
    if n == 0:
        return (-math.inf, math.inf)
    centre = float(values.mean())
    if n == 1:
        return (centre, centre)
    half_width = Z * float(values.std(ddof=1)) / math.sqrt(n)
    return (centre - half_width, centre + half_width)
