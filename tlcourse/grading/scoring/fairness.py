"""How fair a bar is: the probability of passing for every true value, computed, and confirmed by simulated gradings;
and docs/fairness.md, which says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.check_rule import CheckRule
from tlcourse.course.exercise import policy_in_words
from tlcourse.course.model import LoadedExercise, Policy
from tlcourse.grading.grader import Grader
from tlcourse.grading.scoring import operating_characteristic
from tlcourse.grading.scoring.decide import accepted, bars, decide, is_near_miss
from tlcourse.grading.scoring.measurement import Measurement, Z, proportion
from tlcourse.text import SIGN

MARGIN = 0.02
"""How far below the bar a share must be for the second half of the promise: 2 points."""
PROMISE = 0.01
"""Both halves: a model at the bar fails, and one well below it passes, at most so often."""
FAR = 0.007
"""Of a mean that value counts as well beyond the bar which is computed to pass so often: 1/n leaves out the rest."""
SIMULATED = 10_000


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
    """The operating characteristic of every bar of an exercise that chance may decide; exact checks and shares have
    none, and each step is a bar that is decided on with one run."""
    about = exercise.about
    kinds = Grader(exercise).kinds(variant)
    rng = np.random.default_rng(0)
    found = []
    for rule in (one for check in about.checks for one in bars(check)):
        if (kind := kinds.get(rule.id)) is None:
            continue
        policy = about.policy if rule in about.checks and not rule.bonus else replace(about.policy, seeds=1)
        if kind.kind == "proportion":
            found.append(of_share(rule, kind, policy, simulated, rng))
        elif kind.kind == "mean":
            found.append(of_mean(rule, kind, policy, simulated))
    return found


def of_share(rule: CheckRule, kind: Measurement, policy: Policy, simulated: int, rng: np.random.Generator) -> Fairness:
    """By the binomial distribution, exactly. A share that must be small mirrors one that must be large."""
    n, mirrored = kind.n, rule.direction == "at_most"
    bar = 1 - rule.threshold if mirrored else rule.threshold
    seeds = policy.seeds if kind.fresh else 1  # on the same items further runs, at worst, say the same again

    def drawn(true: float) -> Measurement:
        return proportion(int(rng.binomial(n, true)), n, fresh=kind.fresh)

    def point(p: float) -> Point:
        exact = operating_characteristic.pass_probability(n, bar, p, seeds, policy.doubt, policy.clear)
        true = 1 - p if mirrored else p
        return Point(round(true, 10), exact, _simulate(rule, lambda: drawn(true), seeds, simulated, policy))

    grid = [round(p, 4) for p in np.arange(bar - 0.04, min(bar + 0.02, 0.9999), 0.005)]
    return _characteristic(rule, kind, policy, seeds, point(bar), point(bar - MARGIN), [point(p) for p in grid])


def of_mean(rule: CheckRule, kind: Measurement, policy: Policy, simulated: int) -> Fairness:
    """By normal theory with the items' skewness, and simulated on gamma-distributed items of the rule's `std`."""
    n = kind.n
    sign = 1 if rule.direction == "at_most" else -1
    means = Means(n, rule.std, simulated)

    def true_at(distance: float) -> float:
        return rule.threshold / (1 - sign * distance * rule.std / math.sqrt(n))

    def exact_at(distance: float) -> float:
        skewness = sign * means.skewness
        return operating_characteristic.pass_probability_of_mean(
            distance, policy.seeds, skewness, n, policy.doubt, policy.clear
        )

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
        passes_beyond_in={
            k: operating_characteristic.pass_within(k, beyond.exact) for k in sorted({1, policy.attempts, 10})
        },
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


_CHUNK = 200  # runs drawn at a time
_FURTHER = 1.5  # near misses need further runs: so many more are drawn than gradings


class UnitRun(Struct, frozen=True):
    """A run's mean and standard error, for items whose true mean is 1."""

    mean: float
    standard_error: float
    n: int

    def scaled(self, true: float) -> Measurement:
        """The same for items whose true mean is `true`."""
        value, half_width = true * self.mean, Z * abs(true) * self.standard_error
        return Measurement(value, self.n, (value - half_width, value + half_width), kind="mean")


class Means:
    """Runs of n gamma-distributed items with mean 1 and standard deviation `std`, so with skewness 2·std.

    Absolute errors and excess losses are never negative, many small and few large: the gamma family has that form for
    every std (1 is the exponential distribution).
    """

    def __init__(self, n: int, std: float, gradings: int) -> None:
        self.skewness = 2 * std
        self._n = n
        self._means, self._errors = _drawn(n, std, int(gradings * _FURTHER))

    def draws(self) -> Iterator[UnitRun]:
        """The runs, again and again: every true value is tried on the same luck, so that curves are smooth."""
        while True:
            for mean, error in zip(self._means, self._errors, strict=True):
                yield UnitRun(float(mean), float(error), self._n)


@lru_cache(maxsize=8)
def _drawn(n: int, std: float, runs: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([n, runs])
    shape = 1 / std**2
    means, errors = np.empty(runs), np.empty(runs)
    for start in range(0, runs, _CHUNK):
        items = rng.gamma(shape, 1 / shape, (min(_CHUNK, runs - start), n))
        means[start : start + _CHUNK] = items.mean(axis=1)
        errors[start : start + _CHUNK] = items.std(axis=1, ddof=1) / math.sqrt(n)
    return means, errors


COMMAND = "tlcourse ta fairness --markdown > docs/fairness.md"
_HEAD = """\
# How fair the bars are

This page is written by `{command}`; a test compares it with the computation.

A threshold on a measured number fails good students by luck, and passes weak ones. Here a check passes unless the
measurement says, at 99 %, that the true value misses the bar. The promise: **a model whose true value is at the bar
fails at most {promise:.0%} of the time; a share that is truly 2 points below its bar passes at most {promise:.0%} of
the time.** The tables show what is promised, what follows from the rule by computation, and how often it happened in
{simulated:,} simulated gradings, which call the very functions that decide about students, near misses run again
included.

- *Shares* (accuracies) are computed exactly, by the binomial distribution.
- *Means* (errors, excess losses) have no 2 points. Beside the bar stands the first true value that passes at most
  {promise:.0%} of the time: what n can tell apart from the bar. Computed by normal theory with a term for the
  skewness of the items; simulated on gamma-distributed items whose standard deviation, in bars, is the `std` of
  exercise.yaml (1, as of the exponential distribution, where it says nothing). Items skewed away from the bar, as
  errors and losses are, make a model at the bar fail less often than promised, not more; the price is a wider zone in
  which worse models pass. Items more than twice as spread as that buy no further doubt, so that a few absurd
  predictions do not hide in their own standard error.
- *Exact* checks (no crossing, a share of parameters) involve no chance and are left out.
- A model's "true value" is that of one training. Seeds differ in what they train: that spread comes on top, and is why
  the references must pass with every seed of `tlcourse author check --exercises`.
- Each check keeps the promise by itself. Who stands exactly at the bar in several of them fails one of them more often.
"""


def document(found: Sequence[tuple[LoadedExercise, list[Fairness]]], simulated: int) -> str:
    """The page."""
    parts = [_HEAD.format(command=COMMAND, promise=PROMISE, simulated=simulated)]
    for exercise, checks in found:
        parts.append("\n".join(_section(exercise, checks)))
    return "\n".join(parts) + "\n"


def _section(exercise: LoadedExercise, checks: list[Fairness]) -> Iterator[str]:
    yield f"## {exercise.about.id}: {exercise.about.title}\n"
    yield from (f"- {sentence}" for sentence in policy_in_words(exercise.about))
    if not checks:
        yield "\nNo check of it rests on chance.\n"
        return
    yield f"\nA model exactly at the bar fails (promised: at most {PROMISE:.0%}):\n"
    yield "| check | kind | bar | n | computed | simulated |"
    yield "|---|---|---|---|---|---|"
    for check in checks:
        at = check.at_the_bar
        yield (
            f"| {check.check} | {check.kind} | {_bar(check)} | {check.n} | {_percent(1 - at.exact)} | "
            f"{_percent(1 - at.simulated)} |"
        )
    yield f"\nA model that is truly worse passes (promised: at most {PROMISE:.0%}):\n"
    tries = [k for k in checks[0].passes_beyond_in if k > 1]
    yield "| check | true value | computed | simulated |" + "".join(f" within {k} hand-ins |" for k in tries)
    yield "|---|---|---|---|" + "---|" * len(tries)
    for check in checks:
        far = check.beyond
        within = "".join(f" {_percent(check.passes_beyond_in[k])} |" for k in tries)
        yield f"| {check.check} | {far.true:.4g} | {_percent(far.exact)} | {_percent(far.simulated)} |{within}"
    broken = [check.check for check in checks if not check.keeps_the_promise]
    if broken:
        yield f"\n**{', '.join(broken)}: n is too small for both halves of the promise.** The doubt is the student's."
    yield ""


def _bar(check: Fairness) -> str:
    return f"{SIGN[check.direction]} {check.bar:g}"


def _percent(probability: float) -> str:
    return f"{100 * probability:.2f} %"
