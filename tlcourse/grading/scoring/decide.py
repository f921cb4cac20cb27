"""From measurements to points: which checks passed, with the doubt given to the student, and whether to look again.

The rule, as students read it (`policy.py`): a check passes unless the measurement says, at 99 %, that the true value
misses the bar. `operating_characteristic.py` says what follows from it. So a check has three outcomes: its value
meets the bar; it lies below, and chance explains it, which passes in doubt; or it is missed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tlcourse.course.check_rule import CheckRule
from tlcourse.course.model import Policy
from tlcourse.grading.result import CheckResult
from tlcourse.grading.scoring import operating_characteristic
from tlcourse.grading.scoring.measurement import Measurement, pooled

Measured = Mapping[str, Measurement]
USUAL = Policy()
MOST_SPREAD = 2.0
"""Items may be spread so much more than the rule's `std` says before that buys no more doubt."""
_DECIMALS = 4
"""Of points: what a share of them leaves is no longer number than a gradebook of a platform takes."""
_MARGIN = 0.02  # 2 points: what the promise of `operating_characteristic.py` calls worse


def decide(rules: Sequence[CheckRule], runs: Sequence[Measured], policy: Policy = USUAL) -> list[CheckResult]:
    """Each rule against its measurements from all runs together, in the order of the exercise."""
    return [_check(rule, _together(rule, runs), policy) for rule in rules]


def bars(rule: CheckRule) -> list[CheckRule]:
    """The bars that a rule sets: itself, or one for each of its steps, worst first. A share sets none."""
    if rule.credit == "bar":
        return [rule]
    ordered = sorted(rule.steps.items(), key=lambda step: step[1])
    return [
        replace(rule, title=f"{rule.title} ({points:g} points)", credit="bar", steps={}, threshold=value, points=points)
        for value, points in ordered
    ]


def is_near_miss(rules: Sequence[CheckRule], run: Measured, policy: Policy = USUAL) -> bool:
    """Whether something was missed, and nothing clearly: then chance may have decided, and more seeds should.

    An exact value leaves no doubt, so a miss of one is always clear. Shares and steps give some of their points, and
    are decided on with the runs that there are; so is what comes on top.
    """
    asked = [rule for rule in rules if rule.credit == "bar" and not rule.bonus]
    missed = [rule for rule in asked if not _suffices(rule, run[rule.id], policy.doubt)]
    return bool(missed) and all(_suffices(rule, run[rule.id], policy.clear) for rule in missed)


def few_items(rules: Sequence[CheckRule], run: Measured) -> list[str]:
    """What a student should know where a bar rests on few items that are the same in every run, such as photographs."""
    return [
        f"{rule.title}: {found.n} items are few, and no run has others. The doubt is yours: "
        f"{accepted(rule, found):.4g} suffices. So a model {100 * _MARGIN:.0f} points below the bar passes, too, "
        f"with a probability of {_passes(rule, found.n):.0%}."
        for rule in rules
        if (found := run[rule.id]).kind == "proportion"
        and rule.credit == "bar"
        and not found.fresh
        and _passes(rule, found.n) > operating_characteristic.ALPHA
    ]


def _passes(rule: CheckRule, n: int) -> float:
    """How probably a model passes whose true share misses the bar by the margin of the promise."""
    bar = rule.threshold if rule.direction == "at_least" else 1 - rule.threshold
    return operating_characteristic.pass_probability(n, bar, bar - _MARGIN)


def accepted(rule: CheckRule, found: Measurement, alpha: float = operating_characteristic.ALPHA) -> float:
    """The value that suffices: the bar, moved by what chance explains at `alpha`."""
    at_least = rule.direction == "at_least"
    if found.kind == "proportion" and found.n > 0:
        if at_least:
            return operating_characteristic.accepted_successes(found.n, rule.threshold, alpha) / found.n
        return operating_characteristic.accepted_failures(found.n, rule.threshold, alpha) / found.n
    if found.kind == "mean":
        doubt = operating_characteristic.upper_quantile(alpha) * _believed_error(rule, found)
        return rule.threshold - doubt if at_least else rule.threshold + doubt
    return rule.threshold


def _believed_error(rule: CheckRule, found: Measurement) -> float:
    """The standard error of a mean, as far as an honest model near the bar could have it.

    Without a cap one absurd prediction in thousands would raise the standard error as much as the mean, and buy a pass.
    """
    if not rule.threshold:
        return found.standard_error
    usual = rule.std * abs(rule.threshold) / math.sqrt(max(found.n, 1))
    return min(found.standard_error, MOST_SPREAD * usual)


def _together(rule: CheckRule, runs: Sequence[Measured]) -> Measurement:
    return pooled([run[rule.id] for run in runs], larger_is_better=rule.direction == "at_least")


def _suffices(rule: CheckRule, found: Measurement, alpha: float) -> bool:
    limit = accepted(rule, found, alpha)
    return found.value >= limit if rule.direction == "at_least" else found.value <= limit


def _check(rule: CheckRule, found: Measurement, policy: Policy) -> CheckResult:
    passed, points, limit = _credited(rule, found, policy.doubt)
    met = found.value >= rule.threshold if rule.direction == "at_least" else found.value <= rule.threshold
    return CheckResult(
        id=rule.id,
        title=rule.title,
        passed=passed,
        status="met" if met else "in doubt" if passed else "missed",
        value=found.value,
        interval=found.interval,
        threshold=rule.threshold,
        accepted=limit,
        n=found.n,
        points=points,
        max_points=rule.points,
        direction=rule.direction,
        unit=rule.unit,
        message="" if points == rule.points else found.message,
        taught=[] if points == rule.points else list(rule.taught),
        self_reported=found.self_reported,
        part=rule.part,
        credit=rule.credit,
        steps=sorted(rule.steps.items(), key=lambda step: step[1]),
        bonus=rule.bonus,
    )


def _credited(rule: CheckRule, found: Measurement, alpha: float) -> tuple[bool, float, float]:
    """Whether it passes, the points, and the value that suffices to pass.

    Each step is a bar, with the doubt of one. A share is taken as it was measured: whatever chance takes off or adds is
    as small as the share of the points that hang on it.
    """
    if rule.credit == "share":
        share = min(max(found.value, 0.0), 1.0)
        return share >= rule.threshold, round(rule.points * share, _DECIMALS), rule.threshold
    reached = [step.points for step in bars(rule) if _suffices(step, found, alpha)]
    points = max(reached, default=0.0)
    return _suffices(rule, found, alpha), points, accepted(rule, found, alpha)
