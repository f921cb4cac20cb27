"""From measurements to points: which checks passed, with the doubt given to the student, and whether to look again.

The rule, as students read it (`policy.py`): a check passes unless the measurement says, at 99 %, that the true value
misses the bar. `operating.py` says what follows from it. So a check has three outcomes: its value meets the bar; it
lies below, and chance explains it, which passes in doubt; or it is missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tlcourse.course.model import CheckRule, Policy
from tlcourse.grading import operating
from tlcourse.grading.measure import Measurement, pooled
from tlcourse.grading.result import CheckResult

Measured = Mapping[str, Measurement]
USUAL = Policy()


def decide(rules: Sequence[CheckRule], runs: Sequence[Measured], policy: Policy = USUAL) -> list[CheckResult]:
    """Each rule against its measurements from all runs together, in the order of the exercise."""
    return [_check(rule, _together(rule, runs), policy) for rule in rules]


def is_near_miss(rules: Sequence[CheckRule], run: Measured, policy: Policy = USUAL) -> bool:
    """Whether something was missed, and nothing clearly: then chance may have decided, and more seeds should.

    An exact value leaves no doubt, so a miss of one is always clear.
    """
    missed = [rule for rule in rules if not _suffices(rule, run[rule.id], policy.doubt)]
    return bool(missed) and all(_suffices(rule, run[rule.id], policy.clear) for rule in missed)


def accepted(rule: CheckRule, found: Measurement, alpha: float = operating.ALPHA) -> float:
    """The value that suffices: the bar, moved by what chance explains at `alpha`."""
    at_least = rule.direction == "at_least"
    if found.kind == "proportion" and found.n > 0:
        if at_least:
            return operating.accepted_successes(found.n, rule.threshold, alpha) / found.n
        return operating.accepted_failures(found.n, rule.threshold, alpha) / found.n
    if found.kind == "mean":
        doubt = operating.upper_quantile(alpha) * found.standard_error
        return rule.threshold - doubt if at_least else rule.threshold + doubt
    return rule.threshold


def _together(rule: CheckRule, runs: Sequence[Measured]) -> Measurement:
    return pooled([run[rule.id] for run in runs], larger_is_better=rule.direction == "at_least")


def _suffices(rule: CheckRule, found: Measurement, alpha: float) -> bool:
    limit = accepted(rule, found, alpha)
    return found.value >= limit if rule.direction == "at_least" else found.value <= limit


def _check(rule: CheckRule, found: Measurement, policy: Policy) -> CheckResult:
    passed = _suffices(rule, found, policy.doubt)
    met = found.value >= rule.threshold if rule.direction == "at_least" else found.value <= rule.threshold
    return CheckResult(
        id=rule.id,
        title=rule.title,
        passed=passed,
        standing="met" if met else "in doubt" if passed else "missed",
        value=found.value,
        interval=found.interval,
        threshold=rule.threshold,
        accepted=accepted(rule, found, policy.doubt),
        n=found.n,
        points=rule.points if passed else 0.0,
        max_points=rule.points,
        direction=rule.direction,
        unit=rule.unit,
        message="" if passed else found.message,
    )
