"""How fair a bar is: the probability of passing for every true value, computed, and confirmed by simulated gradings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from tlcourse.course.model import CheckRule, LoadedExercise, Policy
from tlcourse.grading import operating
from tlcourse.grading.decision import accepted, decide, is_near_miss
from tlcourse.grading.grader import Grader
from tlcourse.grading.measure import Measurement, proportion
from tlcourse.grading.simulation import Means

MARGIN = 0.02
"""How far below the bar a share must be for the second half of the promise: 2 points."""
PROMISE = 0.01
"""Both halves: a model at the bar fails, and one well below it passes, at most so often."""
FAR = 0.007
"""Of a mean that value counts as well beyond the bar which is computed to pass so often: 1/n leaves out the rest."""
SIMULATED = 10_000

Draw = Callable[[float], Measurement]
"""A simulated run of a model of a true value."""


class Point(Struct, frozen=True):
    """A true value, and how probably a model of that value passes: computed, and in simulated gradings."""

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
    fresh: bool
    at_the_bar: Point
    beyond: Point
    """A share 2 points below the bar. For a mean: the first value that passes at most 1 time in 100."""
    passes_beyond_in: dict[int, float]
    """How probably that one passes within so many attempts, each on other data."""
    keeps_the_promise: bool
    curve: list[Point]


def fairness(exercise: LoadedExercise, variant: str = "mini", simulated: int = SIMULATED) -> list[Fairness]:
    """The operating characteristic of every check of an exercise that rests on chance; exact checks have none."""
    about = exercise.about
    kinds = Grader(exercise).kinds(variant)
    rng = np.random.default_rng(0)
    found = []
    for rule in about.checks:
        kind = kinds[rule.id]
        if kind.kind == "proportion":
            found.append(of_share(rule, kind, about.policy, simulated, rng))
        elif kind.kind == "mean":
            found.append(of_mean(rule, kind, about.policy, simulated))
    return found


def of_share(rule: CheckRule, kind: Measurement, policy: Policy, simulated: int, rng: np.random.Generator) -> Fairness:
    """By the binomial distribution, exactly. A share that must be small mirrors one that must be large."""
    n, mirrored = kind.n, rule.direction == "at_most"
    bar = 1 - rule.threshold if mirrored else rule.threshold
    seeds = policy.seeds if kind.fresh else 1  # on the same items further runs, at worst, say the same again

    def drawn(true: float) -> Measurement:
        return proportion(int(rng.binomial(n, true)), n, fresh=kind.fresh)

    def point(p: float) -> Point:
        exact = operating.pass_probability(n, bar, p, seeds, policy.doubt, policy.clear)
        true = 1 - p if mirrored else p
        return Point(round(true, 10), exact, _simulate(rule, lambda: drawn(true), seeds, simulated, policy))

    grid = [round(p, 4) for p in np.arange(bar - 0.04, min(bar + 0.02, 0.9999), 0.005)]
    return _characteristic(rule, kind, policy, seeds, point(bar), point(bar - MARGIN), [point(p) for p in grid])


def of_mean(rule: CheckRule, kind: Measurement, policy: Policy, simulated: int) -> Fairness:
    """By normal theory with the items' skewness, and simulated on gamma-distributed items of the rule's `spread`."""
    n = kind.n
    sign = 1 if rule.direction == "at_most" else -1
    means = Means(n, rule.spread, simulated)

    def true_at(distance: float) -> float:
        return rule.threshold / (1 - sign * distance * rule.spread / math.sqrt(n))

    def exact_at(distance: float) -> float:
        skewness = sign * means.skewness
        return operating.pass_probability_of_mean(distance, policy.seeds, skewness, n, policy.doubt, policy.clear)

    def point(distance: float) -> Point:
        true, draw = true_at(distance), means.draws()
        share = _simulate(rule, lambda: next(draw).scaled(true), policy.seeds, simulated, policy)
        return Point(true, exact_at(distance), share)

    far = next(distance for distance in np.arange(2, 20, 0.05) if exact_at(float(distance)) <= FAR)
    curve = [point(distance) for distance in range(-2, 7)]
    return _characteristic(rule, kind, policy, policy.seeds, point(0), point(float(far)), curve)


def _characteristic(
    rule: CheckRule, kind: Measurement, policy: Policy, seeds: int, at_the_bar: Point, beyond: Point, curve: list[Point]
) -> Fairness:
    return Fairness(
        check=rule.id,
        title=rule.title,
        kind=kind.kind,
        direction=rule.direction,
        bar=rule.threshold,
        accepted=accepted(rule, kind, policy.doubt) if kind.kind == "proportion" else rule.threshold,
        n=kind.n,
        seeds=seeds,
        fresh=kind.fresh,
        at_the_bar=at_the_bar,
        beyond=beyond,
        passes_beyond_in={k: operating.pass_within(k, beyond.exact) for k in sorted({1, policy.attempts, 10})},
        keeps_the_promise=1 - at_the_bar.exact <= PROMISE and beyond.exact <= PROMISE,
        curve=curve,
    )


def _simulate(rule: CheckRule, draw: Callable[[], Measurement], seeds: int, times: int, policy: Policy) -> float:
    """The share of simulated gradings that pass, by the very functions that decide about students."""
    passed = 0
    for _ in range(times):
        runs: Sequence[dict[str, Measurement]] = [{rule.id: draw()}]
        if seeds > 1 and is_near_miss([rule], runs[0], policy):
            runs = [*runs, *({rule.id: draw()} for _ in range(seeds - 1))]
        passed += decide([rule], runs, policy)[0].passed
    return passed / times
