"""From measurements to points: which checks passed, and what the verdict is."""

from __future__ import annotations

from collections.abc import Mapping

from tlcourse.course.model import CheckRule
from tlcourse.grading.measure import Measurement
from tlcourse.grading.result import CheckResult


def decide(rules: list[CheckRule], measured: Mapping[str, Measurement]) -> list[CheckResult]:
    """Each rule against its measurement, in the order of the exercise."""
    return [_check(rule, measured[rule.id]) for rule in rules]


def _check(rule: CheckRule, found: Measurement) -> CheckResult:
    passed = found.value >= rule.threshold if rule.direction == "at_least" else found.value <= rule.threshold
    return CheckResult(
        id=rule.id,
        title=rule.title,
        passed=passed,
        value=found.value,
        interval=found.interval,
        threshold=rule.threshold,
        n=found.n,
        points=rule.points if passed else 0.0,
        max_points=rule.points,
        direction=rule.direction,
        unit=rule.unit,
        message="" if passed else found.message,
    )
