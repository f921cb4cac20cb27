"""Simulated means of skewed items: what runs of models near a bar would measure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from msgspec import Struct

from tlcourse.grading.measure import Measurement

_CHUNK = 200  # runs drawn at a time
_FURTHER = 1.5  # near misses need further runs: so many more are drawn than gradings


class UnitRun(Struct, frozen=True):
    """A run's mean and standard error, for items whose true mean is 1."""

    mean: float
    standard_error: float
    n: int

    def scaled(self, true: float) -> Measurement:
        """The same for items whose true mean is `true`."""
        value, spread = true * self.mean, 1.96 * abs(true) * self.standard_error
        return Measurement(value, self.n, (value - spread, value + spread), kind="mean")


class Means:
    """Runs of n gamma-distributed items with mean 1 and standard deviation `spread`, so with skewness 2·spread.

    Absolute errors and excess losses are never negative, many small and few large: the gamma family has that form for
    every spread (spread 1 is the exponential distribution).
    """

    def __init__(self, n: int, spread: float, gradings: int) -> None:
        self.skewness = 2 * spread
        self._n = n
        self._means, self._errors = _drawn(n, spread, int(gradings * _FURTHER))

    def draws(self) -> Iterator[UnitRun]:
        """The runs, again and again: every true value is tried on the same luck, so that curves are smooth."""
        while True:
            for mean, error in zip(self._means, self._errors, strict=True):
                yield UnitRun(float(mean), float(error), self._n)


@lru_cache(maxsize=8)
def _drawn(n: int, spread: float, runs: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([n, runs])
    shape = 1 / spread**2
    means, errors = np.empty(runs), np.empty(runs)
    for start in range(0, runs, _CHUNK):
        items = rng.gamma(shape, 1 / shape, (min(_CHUNK, runs - start), n))
        means[start : start + _CHUNK] = items.mean(axis=1)
        errors[start : start + _CHUNK] = items.std(axis=1, ddof=1) / math.sqrt(n)
    return means, errors
