"""Means over seeds with 95 % intervals, and what they say about a claim."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

# Two-sided 95 % quantiles of Student's t by degrees of freedom; between two of them the larger, to be wide enough
_T = {
    1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 12: 2.179,
    15: 2.131, 20: 2.086, 30: 2.042, 60: 2.000, 120: 1.980,
}  # fmt: skip


class Interval(Struct, frozen=True):
    """A mean over seeds; without a second seed its ends are infinite."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half(self) -> float:
        """Half its width."""
        return (self.high - self.low) / 2


def interval(values: Sequence[float]) -> Interval:
    """The mean of independent values and its 95 % interval by Student's t."""
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Interval(mean, -math.inf, math.inf, n)
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    quantile = _T[max(df for df in _T if df <= n - 1)]
    half = quantile * math.sqrt(variance / n)
    return Interval(mean, mean - half, mean + half, n)


def difference(method: Sequence[float], control: Sequence[float]) -> Interval:
    """method − control, seed by seed: what both share – the data, the start – does not blur it."""
    return interval([a - b for a, b in zip(method, control, strict=True)])
