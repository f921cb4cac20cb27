"""The operating characteristic of a check: with which probability a model of a given true value passes.

A bar on a measured value is noisy. The rule here gives the doubt to the student: a check passes unless the measurement
says, at 99 %, that the true value misses the bar. So a model whose true value is at the bar passes with a probability
of at least 0.99; how seldom a worse one passes by luck is a matter of n alone. For shares both are computed exactly;
for means by normal theory with a term for the skewness of the items, see `pass_probability_of_mean`.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

ALPHA = 0.01
"""How often a model whose true value is exactly at the bar may fail by bad luck, where the exercise says nothing."""
CLEAR = 0.001
"""Below what this level accepts, a miss is clear; between the two it is repeated with further seeds."""

_NORMAL = NormalDist()
_STEPS = 400  # of the integral over near misses


@lru_cache(maxsize=64)
def upper_quantile(alpha: float) -> float:
    """The z that a standard normal exceeds with probability `alpha`."""
    return -_NORMAL.inv_cdf(alpha)


def log_pmf(k: int, n: int, p: float) -> float:
    """log P(X = k) for X ~ Binomial(n, p), 0 < p < 1."""
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return choose + k * math.log(p) + (n - k) * math.log1p(-p)


def tail(n: int, c: int, p: float) -> float:
    """P(X ≥ c) for X ~ Binomial(n, p), exactly."""
    if c <= 0 or p >= 1:
        return 1.0
    if c > n or p <= 0:
        return 0.0
    if c > n * p:
        return math.fsum(math.exp(log_pmf(k, n, p)) for k in range(c, n + 1))
    return 1.0 - math.fsum(math.exp(log_pmf(k, n, p)) for k in range(c))


@lru_cache(maxsize=256)
def accepted_successes(n: int, bar: float, alpha: float = ALPHA) -> int:
    """The largest c with P(X ≥ c) ≥ 1 − alpha for X ~ Binomial(n, bar): c successes of n are accepted.

    In other words: unless the one-sided Clopper–Pearson bound at 1 − alpha lies below the bar.
    """
    if not 0 < bar < 1:
        return math.ceil(n * bar)
    below = 0.0
    for c in range(n + 1):
        below += math.exp(log_pmf(c, n, bar))
        if below > alpha:
            return c
    return n


def accepted_failures(n: int, bar: float, alpha: float = ALPHA) -> int:
    """The same for a share that must be at most `bar`: so many of n are accepted."""
    return n - accepted_successes(n, 1.0 - bar, alpha)


def pass_probability(n: int, bar: float, p: float, seeds: int = 1, alpha: float = ALPHA, clear: float = CLEAR) -> float:
    """P(pass) of a model whose true share is `p`, with `seeds` runs where the first is a near miss.

    One run of n items passes with c₁ = accepted_successes(n, bar). Below that but at least accepted_successes(n, bar,
    clear), `seeds − 1` further runs are made, and all are decided on together, with accepted_successes(seeds·n, bar).
    Training is taken to give the same true share with every seed; its own spread comes on top.
    """
    first = accepted_successes(n, bar, alpha)
    passed = tail(n, first, p)
    if seeds == 1 or not 0 < p < 1:
        return passed
    needed = accepted_successes(seeds * n, bar, alpha)
    near = range(accepted_successes(n, bar, clear), first)
    return passed + math.fsum(math.exp(log_pmf(k, n, p)) * tail((seeds - 1) * n, needed - k, p) for k in near)


def pass_probability_of_mean(
    distance: float, seeds: int = 1, skewness: float = 0.0, n: int = 1, alpha: float = ALPHA, clear: float = CLEAR
) -> float:
    """P(pass) of a model whose true mean lies `distance` standard errors of one run beyond the bar.

    A mean m of n items with standard deviation s is accepted up to the bar + z·s/√n, that is with x = z − distance
    where U = √n (m − true)/σ − z (s/σ − 1) ≤ x. For normal means that is Φ(x). Items with a skewness γ away from the
    bar tie s to m: the variance of U is 1 − zγ/√n and its third cumulant γ/√n, so that to the order of 1/√n (by
    Edgeworth's expansion)

        P(pass) = Φ(x) + γ (3zx − x² + 1) φ(x) / (6√n)

    For γ > 0, as absolute errors and losses have it, a model at the bar (x = z) fails less often than alpha; for γ < 0
    more often. Near misses are taken to be rarer or more frequent in the same proportion as misses.
    """
    z, z_clear = upper_quantile(alpha), upper_quantile(clear)
    x = z - distance
    normal = _NORMAL.cdf(x)
    correction = skewness * (3 * z * x - x * x + 1) * _NORMAL.pdf(x) / (6 * math.sqrt(n))
    passed = min(max(normal + correction, 0.0), 1.0)
    if seeds == 1:
        return passed
    # a near miss Z in (z − d, z_clear − d]; then (Z + the others) / √seeds + √seeds·d must be at most z
    width = (z_clear - z) / _STEPS
    pooled = 0.0
    for i in range(_STEPS):
        first = z - distance + (i + 0.5) * width
        room = (math.sqrt(seeds) * z - seeds * distance - first) / math.sqrt(seeds - 1)
        pooled += _NORMAL.pdf(first) * _NORMAL.cdf(room) * width
    return passed + pooled * (1 - passed) / (1 - normal)


def pass_within(attempts: int, probability: float) -> float:
    """P(at least one pass in `attempts` attempts), each on fresh items."""
    return -math.expm1(attempts * math.log1p(-probability)) if probability < 1 else 1.0
