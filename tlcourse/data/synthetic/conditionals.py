"""Distributions of one number given inputs, in closed form: distribution function, quantiles, lowest pinball loss.

With the pinball loss ρ_τ(u) = max(τu, (τ − 1)u), predicting q for Y costs on average

    E ρ_τ(Y − q) = τ (E[Y] − q) + E[(q − Y)⁺],     E[(q − Y)⁺] = ∫ F(t) dt up to q                            (1)

so that a distribution whose F and whose integral of F are known scores a prediction without a single drawn Y. Its
derivative in q is F(q) − τ: the loss is lowest where F(q) = τ, at the quantile (Koenker and Bassett 1978).

Each type holds the parameters of n distributions, one for each input; all arrays have shape (n,) and broadcast against
values of shape (n, …) through `column`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

_erf = np.vectorize(math.erf, otypes=[np.float64])  # NumPy has none
_STEPS = 40
_CLOSE = 1e-14


class Conditional(Protocol):
    """The distributions of Y given each of n inputs."""

    def mean(self) -> Array:
        """E[Y], (n,)."""

    def cdf(self, y: Array) -> Array:
        """F(y) = P(Y ≤ y), for y of shape (n, k)."""

    def shortfall(self, y: Array) -> Array:
        """E[(y − Y)⁺], the integral of F up to y, for y of shape (n, k)."""

    def quantiles(self, taus: Array) -> Array:
        """The y with F(y) = τ: (n, k) for taus of shape (k,)."""

    def draw(self, rng: np.random.Generator) -> Array:
        """One Y for each input, (n,)."""


@dataclass(frozen=True)
class Gaussian:
    """Y = centre + width · N(0, 1)."""

    centre: Array
    width: Array

    def mean(self) -> Array:
        return self.centre

    def cdf(self, y: Array) -> Array:
        return _normal_cdf(_standardised(self, y))

    def shortfall(self, y: Array) -> Array:
        return column(self.width) * _normal_shortfall(_standardised(self, y))

    def quantiles(self, taus: Array) -> Array:
        return _located(self, np.array([NormalDist().inv_cdf(tau) for tau in taus]))

    def draw(self, rng: np.random.Generator) -> Array:
        return self.centre + self.width * rng.standard_normal(len(self.centre))


@dataclass(frozen=True)
class Skewed:
    """Y = centre + width · E, where E is exponential with mean 1: steep on the left, a long tail on the right."""

    centre: Array
    width: Array

    def mean(self) -> Array:
        return self.centre + self.width

    def cdf(self, y: Array) -> Array:
        return -np.expm1(-np.maximum(_standardised(self, y), 0))

    def shortfall(self, y: Array) -> Array:
        z = np.maximum(_standardised(self, y), 0)
        above: Array = z + np.expm1(-z)
        return column(self.width) * above

    def quantiles(self, taus: Array) -> Array:
        return _located(self, -np.log1p(-taus))

    def draw(self, rng: np.random.Generator) -> Array:
        return self.centre + self.width * rng.exponential(size=len(self.centre))


@dataclass(frozen=True)
class HeavyTailed:
    """Y = centre + width · T, where T is Student's t with 2 degrees of freedom: its variance is infinite."""

    centre: Array
    width: Array

    def mean(self) -> Array:
        return self.centre

    def cdf(self, y: Array) -> Array:
        z = _standardised(self, y)
        from_half: Array = z / (2 * np.sqrt(2 + z * z))
        return 0.5 + from_half

    def shortfall(self, y: Array) -> Array:
        z = _standardised(self, y)
        return column(self.width) * (z + np.sqrt(2 + z * z)) / 2

    def quantiles(self, taus: Array) -> Array:
        return _located(self, (2 * taus - 1) / np.sqrt(2 * taus * (1 - taus)))

    def draw(self, rng: np.random.Generator) -> Array:
        return self.centre + self.width * rng.standard_t(2, len(self.centre))


@dataclass(frozen=True)
class TwoHumped:
    """Y = centre ± apart + width · N(0, 1): the left hump, centre − apart, with probability `left`."""

    centre: Array
    width: Array
    apart: Array
    left: Array

    def mean(self) -> Array:
        return self.centre + self.apart * (1 - 2 * self.left)

    def cdf(self, y: Array) -> Array:
        return sum(column(share) * hump.cdf(y) for share, hump in self._humps())  # type: ignore[return-value]

    def shortfall(self, y: Array) -> Array:
        return sum(column(share) * hump.shortfall(y) for share, hump in self._humps())  # type: ignore[return-value]

    def quantiles(self, taus: Array) -> Array:
        """F is known in closed form, its inverse is not: Newton's method, and bisection where that leads astray."""
        reach = self.apart + 9 * self.width
        low = np.repeat(column(self.centre - reach), len(taus), axis=1)
        high = np.repeat(column(self.centre + reach), len(taus), axis=1)
        y = (low + high) / 2
        for _ in range(_STEPS):
            off = self.cdf(y) - taus
            if np.abs(off).max() < _CLOSE:
                break
            low, high = np.where(off < 0, y, low), np.where(off < 0, high, y)
            newton = y - off / np.maximum(self._density(y), 1e-300)
            y = np.where((newton > low) & (newton < high), newton, (low + high) / 2)
        return y

    def draw(self, rng: np.random.Generator) -> Array:
        n = len(self.centre)
        sides = np.where(rng.random(n) < self.left, -self.apart, self.apart)
        return self.centre + sides + self.width * rng.standard_normal(n)

    def _density(self, y: Array) -> Array:
        parts = [(column(share / hump.width), _standardised(hump, y)) for share, hump in self._humps()]
        return sum(share * np.exp(-z * z / 2) for share, z in parts) / math.sqrt(2 * math.pi)  # type: ignore[return-value]

    def _humps(self) -> tuple[tuple[Array, Gaussian], tuple[Array, Gaussian]]:
        return (
            (self.left, Gaussian(self.centre - self.apart, self.width)),
            (1 - self.left, Gaussian(self.centre + self.apart, self.width)),
        )


def pinball(given: Conditional, predicted: Array, taus: Array) -> Array:
    """The expected pinball loss of `predicted` (n, k) at levels `taus` (k,), by (1): (n, k)."""
    return taus * (column(given.mean()) - predicted) + given.shortfall(predicted)


def coverage(given: Conditional, low: Array, high: Array) -> Array:
    """P(low < Y ≤ high) for each input: (n,) from two (n,); negative where the ends are swapped."""
    ends = given.cdf(np.stack([low, high], axis=1))
    return ends[:, 1] - ends[:, 0]


def column(values: Array) -> Array:
    """(n,) as (n, 1)."""
    return values[:, None]


def _standardised(given: Any, y: Array) -> Array:
    return (y - column(given.centre)) / column(given.width)


def _located(given: Any, z: Array) -> Array:
    return column(given.centre) + column(given.width) * z


def _normal_cdf(z: Array) -> Array:
    return (1 + _erf(z / math.sqrt(2))) / 2  # type: ignore[no-any-return]


def _normal_shortfall(z: Array) -> Array:
    return z * _normal_cdf(z) + np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
