"""What a grader measures: a value, how sure it is, and what to do next, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np


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

    @property
    def successes(self) -> int:
        """Of a proportion: how many of n."""
        return round(self.value * self.n)

    @property
    def standard_error(self) -> float:
        """Of a mean: what its 95 % interval says."""
        return (self.interval[1] - self.interval[0]) / (2 * 1.96)


def proportion(successes: float, n: int, message: str = "", *, fresh: bool = True) -> Measurement:
    """A share of n items with its score interval. `successes` are a whole number, unless they are a mean of runs."""
    return Measurement(successes / n if n else 0.0, n, wilson(successes, n), message, "proportion", fresh)


def mean(values: np.ndarray, message: str = "", *, fresh: bool = True) -> Measurement:
    """A mean of independent `values`, shape (n,), with its normal interval."""
    return Measurement(float(values.mean()), int(values.size), mean_interval(values), message, "mean", fresh)


def exact(value: float, n: int = 1, message: str = "") -> Measurement:
    """A value without doubt."""
    return Measurement(value, n, (value, value), message, "exact")


def pooled(runs: Sequence[Measurement], *, larger_is_better: bool) -> Measurement:
    """The measurements of several runs as one, in whatever order they come. An exact value is the worst of them."""
    worst = (min if larger_is_better else max)(runs, key=lambda run: (run.value, run.message))
    if len(runs) == 1 or worst.kind == "exact":
        return worst
    if not worst.fresh:
        return _on_the_same_items(runs, worst)
    n = sum(run.n for run in runs)
    if worst.kind == "proportion":
        return proportion(sum(run.successes for run in runs), n, worst.message)
    value = math.fsum(run.n * run.value for run in runs) / n
    half_width = 1.96 * math.sqrt(math.fsum((run.n * run.standard_error) ** 2 for run in runs)) / n
    return Measurement(value, n, (value - half_width, value + half_width), worst.message, "mean")


def _on_the_same_items(runs: Sequence[Measurement], worst: Measurement) -> Measurement:
    """Their mean, as sure as one run is: the items are no more than before."""
    value = math.fsum(run.value for run in runs) / len(runs)
    if worst.kind == "proportion":
        return proportion(value * worst.n, worst.n, worst.message, fresh=False)
    half_width = 1.96 * math.fsum(run.standard_error for run in runs) / len(runs)
    return Measurement(value, worst.n, (value - half_width, value + half_width), worst.message, "mean", fresh=False)


def wilson(successes: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927), which stays within [0, 1] and holds for p near 1."""
    if n <= 0:
        return (0.0, 1.0)
    p = successes / n
    centre = p + z * z / (2 * n)
    half_width = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return (max(0.0, (centre - half_width) / scale), min(1.0, (centre + half_width) / scale))


def mean_interval(values: np.ndarray, z: float = 1.96) -> tuple[float, float]:
    """The normal interval of a mean of independent `values`, shape (n,)."""
    n = int(values.size)
    if n == 0:
        return (-math.inf, math.inf)
    centre = float(values.mean())
    if n == 1:
        return (centre, centre)
    half_width = z * float(values.std(ddof=1)) / math.sqrt(n)
    return (centre - half_width, centre + half_width)
