"""The curve "true accuracy → probability of passing": exact, and confirmed by the functions that decide."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tlcourse.course.model import CheckRule
from tlcourse.grading.fairness import _of_mean, _of_proportion


@pytest.mark.parametrize("direction", ["at_least", "at_most"])
def test_simulated_gradings_agree_with_the_exact_curve(direction):
    bar = 0.9 if direction == "at_least" else 0.1
    rule = CheckRule(id="a", title="A", threshold=bar, points=1, direction=direction)
    found = _of_proportion(rule, 1000, 3, 1000, np.random.default_rng(0))
    for point in found.curve:
        error = np.sqrt(point.exact * (1 - point.exact) / 1000)
        assert abs(point.simulated - point.exact) <= 4.5 * error + 1e-6
    better_first = sorted(found.curve, key=lambda p: p.true, reverse=direction == "at_least")
    chances = [point.exact for point in better_first]
    assert chances == sorted(chances, reverse=True)


def test_too_few_items_are_said_to_break_the_promise():
    rule = CheckRule(id="a", title="A", threshold=0.94, points=1)
    rng = np.random.default_rng(0)
    assert _of_proportion(rule, 153, 3, 10, rng).keeps_the_promise is False
    assert _of_proportion(rule, 4000, 3, 10, rng).keeps_the_promise is True


def test_a_mean_keeps_its_promise_on_skewed_errors():
    rule = CheckRule(id="a", title="A", threshold=1.0, points=1, direction="at_most")
    found = _of_mean(rule, 2000, 1, 5000, np.random.default_rng(0))
    at_the_bar = next(point for point in found.curve if point.true == 1.0)
    assert at_the_bar.exact == pytest.approx(0.99)
    assert at_the_bar.simulated > 0.96


def test_the_command_prints_the_curve(tl):
    done = tl("ta", "fairness", "line", "--simulated", "50", "--json")
    assert done.returncode == 0, done.stderr
    checks = json.loads(done.stdout)["checks"]
    assert [check["check"] for check in checks] == ["y_error", "z_error"]
    assert "true value" in tl("ta", "fairness", "line", "--simulated", "50").stdout
