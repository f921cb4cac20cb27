"""The operating characteristic of a check: with which probability a model of a given true value passes.

A bar on a measured share is noisy. The rule here gives the doubt to the student: a check passes unless the measurement
says, at 99 %, that the true value misses the bar. So a model whose true value is at the bar passes with a probability
of at least 0.99; how seldom a worse one passes by luck is a matter of n alone, and is computed here exactly.
"""

from __future__ import annotations

import math
from functools import lru_cache

ALPHA = 0.01
"""How often a model whose true value is exactly at the bar may fail by bad luck."""
CLEAR = 0.001
"""Below what this level accepts, a miss is clear; between the two it is repeated with further seeds."""
Z = {ALPHA: 2.3263478740408408, CLEAR: 3.0902323061678132}
"""Upper quantiles of the standard normal distribution at these levels."""


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
    """The largest c with P(X ≥ c) ≥ 1 − alpha for X ~ Binomial(n, bar): c successes of n are accepted."""
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


def pass_probability(n: int, bar: float, p: float, seeds: int = 1) -> float:
    """P(pass) of a model whose true share is `p`, with `seeds` runs where the first is a near miss.

    One run of n items passes with c₁ = accepted_successes(n, bar). Below that but at least accepted_successes(n, bar,
    CLEAR), `seeds − 1` further runs are made, and all are decided on together, with accepted_successes(seeds·n, bar).
    Training is taken to give the same true share with every seed; its own spread comes on top.
    """
    first = accepted_successes(n, bar)
    passed = tail(n, first, p)
    if seeds == 1 or not 0 < p < 1:
        return passed
    needed = accepted_successes(seeds * n, bar)
    near = range(accepted_successes(n, bar, CLEAR), first)
    return passed + math.fsum(math.exp(log_pmf(k, n, p)) * tail((seeds - 1) * n, needed - k, p) for k in near)


def pass_within(attempts: int, probability: float) -> float:
    """P(at least one pass in `attempts` attempts), each on fresh items."""
    return -math.expm1(attempts * math.log1p(-probability)) if probability < 1 else 1.0
