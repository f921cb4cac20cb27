"""How fair a bar is: the probability of passing for every true value, exact, and confirmed by simulated gradings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from tlcourse.course.model import CheckRule, LoadedExercise
from tlcourse.grading import operating
from tlcourse.grading.decision import decide, is_near_miss
from tlcourse.grading.grader import Grader
from tlcourse.grading.measure import Measurement, mean, proportion

MARGIN = 0.02
"""How far below the bar a model must be for the second half of the promise: 2 points."""
PROMISE = 0.01
SIMULATED = 10_000
ATTEMPTS = (1, 3, 10)


class Point(Struct, frozen=True):
    """A true value, and how probably a model of that value passes: exactly, and in simulated gradings."""

    true: float
    exact: float
    simulated: float


class Fairness(Struct, frozen=True):
    """The operating characteristic of one check."""

    check: str
    title: str
    kind: str
    direction: str
    bar: float
    accepted: float
    n: int
    seeds: int
    fails_at_the_bar: float
    passes_below: float | None
    """How probably a model 2 points below the bar passes; None where the check has no such scale."""
    passes_below_in: dict[int, float]
    """The same within so many attempts."""
    keeps_the_promise: bool | None
    curve: list[Point]


def fairness(exercise: LoadedExercise, variant: str = "mini", simulated: int = SIMULATED) -> list[Fairness]:
    """The operating characteristic of every check of an exercise that rests on chance; exact checks have none."""
    kinds = Grader(exercise).kinds(variant)
    rules = [rule for rule in exercise.about.checks if kinds[rule.id].kind != "exact"]
    rng = np.random.default_rng(0)
    seeds = exercise.about.seeds
    return [  # further runs on the same items leave the doubt about the items as it is
        _of_proportion(rule, kinds[rule.id].n, 1 if kinds[rule.id].fixed else seeds, simulated, rng)
        if kinds[rule.id].kind == "proportion"
        else _of_mean(rule, kinds[rule.id].n, seeds, simulated, rng)
        for rule in rules
    ]


def _of_proportion(rule: CheckRule, n: int, seeds: int, simulated: int, rng: np.random.Generator) -> Fairness:
    """By the binomial distribution. A share that must be small is the mirror image of one that must be large."""
    mirrored = rule.direction == "at_most"
    bar = 1 - rule.threshold if mirrored else rule.threshold
    grid = [round(p, 4) for p in np.arange(bar - 0.04, min(bar + 0.02, 0.9999), 0.005)]
    curve = []
    for p in grid:
        exact = operating.pass_probability(n, bar, p, seeds)
        share = _simulate(rule, lambda p=p: _drawn_share(rule, n, p, mirrored, rng), seeds, simulated)
        curve.append(Point(1 - p if mirrored else p, exact, share))
    fails = 1 - operating.pass_probability(n, bar, bar, seeds)
    passes = operating.pass_probability(n, bar, bar - MARGIN, seeds)
    accepted = operating.accepted_successes(n, bar) / n
    return Fairness(
        check=rule.id,
        title=rule.title,
        kind="proportion",
        direction=rule.direction,
        bar=rule.threshold,
        accepted=1 - accepted if mirrored else accepted,
        n=n,
        seeds=seeds,
        fails_at_the_bar=fails,
        passes_below=passes,
        passes_below_in={k: operating.pass_within(k, passes) for k in ATTEMPTS},
        keeps_the_promise=fails <= PROMISE and passes <= PROMISE,
        curve=curve,
    )


def _of_mean(rule: CheckRule, n: int, seeds: int, simulated: int, rng: np.random.Generator) -> Fairness:
    """In standard errors from the bar, on exponential errors: their skewness is worse than that of real ones."""
    sign = 1 if rule.direction == "at_most" else -1
    curve = []
    for distance in range(-2, 7):
        true = rule.threshold * (1 + sign * distance / math.sqrt(n))
        exact = _normal(operating.Z[operating.ALPHA] - distance)
        share = _simulate(rule, lambda true=true: mean(rng.exponential(true, n)), 1, simulated // 10)
        curve.append(Point(true, exact, share))
    return Fairness(
        check=rule.id,
        title=rule.title,
        kind="mean",
        direction=rule.direction,
        bar=rule.threshold,
        accepted=rule.threshold,
        n=n,
        seeds=seeds,
        fails_at_the_bar=1 - _normal(operating.Z[operating.ALPHA]),
        passes_below=None,
        passes_below_in={},
        keeps_the_promise=None,
        curve=curve,
    )


def _drawn_share(rule: CheckRule, n: int, p: float, mirrored: bool, rng: np.random.Generator) -> Measurement:
    successes = int(rng.binomial(n, p))
    return proportion(n - successes if mirrored else successes, n)


def _simulate(rule: CheckRule, draw: object, seeds: int, times: int) -> float:
    """The share of simulated gradings that pass, by the very functions that decide about students."""
    assert callable(draw)
    passed = 0
    for _ in range(times):
        runs: Sequence[dict[str, Measurement]] = [{rule.id: draw()}]
        if seeds > 1 and is_near_miss([rule], runs[0]):
            runs = [*runs, *({rule.id: draw()} for _ in range(seeds - 1))]
        passed += decide([rule], runs)[0].passed
    return passed / times


def _normal(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2))
