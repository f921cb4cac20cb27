"""The curve "true value → probability of passing": computed, and confirmed by the functions that decide."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tlcourse.cli.fairness import plot
from tlcourse.course.check_rule import CheckRule
from tlcourse.course.model import Policy
from tlcourse.grading.scoring.fairness import Point, of_mean, of_share
from tlcourse.grading.scoring.measurement import Measurement, proportion

POLICY = Policy()


def share_of(n: int, *, fresh: bool = True) -> Measurement:
    return proportion(0, n, fresh=fresh)


def mean_of(n: int) -> Measurement:
    return Measurement(0.0, n, (0.0, 0.0), kind="mean")


def assert_agrees(points: list[Point], gradings: int, slack: float = 0.0) -> None:
    for point in points:
        error = np.sqrt(point.exact * (1 - point.exact) / gradings)
        assert abs(point.simulated - point.exact) <= 4.5 * error + slack + 1e-6


@pytest.mark.parametrize("direction", ["at_least", "at_most"])
def test_simulated_gradings_agree_with_the_exact_curve(direction):
    bar = 0.9 if direction == "at_least" else 0.1
    rule = CheckRule(id="a", title="A", threshold=bar, points=1, direction=direction)
    found = of_share(rule, share_of(1000), POLICY, 1000, np.random.default_rng(0))
    assert_agrees([found.at_the_bar, found.beyond, *found.curve], 1000)
    better_first = sorted(found.curve, key=lambda p: p.true, reverse=direction == "at_least")
    chances = [point.exact for point in better_first]
    assert chances == sorted(chances, reverse=True)
    assert found.at_the_bar.true == pytest.approx(bar)
    assert found.beyond.true == pytest.approx(bar - 0.02 if direction == "at_least" else bar + 0.02)


def test_too_few_items_are_said_to_break_the_promise():
    rule = CheckRule(id="a", title="A", threshold=0.94, points=1)
    rng = np.random.default_rng(0)
    assert of_share(rule, share_of(153), POLICY, 10, rng).keeps_the_promise is False
    assert of_share(rule, share_of(4000), POLICY, 10, rng).keeps_the_promise is True


def test_on_the_same_items_further_runs_are_not_counted_on():
    rule = CheckRule(id="a", title="A", threshold=0.94, points=1)
    found = of_share(rule, share_of(153, fresh=False), POLICY, 200, np.random.default_rng(0))
    assert found.seeds == 1
    assert 1 - found.at_the_bar.exact <= 0.01
    assert_agrees(found.curve, 200)


@pytest.mark.parametrize("std", [0.75, 1.0, 3.0])
@pytest.mark.parametrize("seeds", [1, 3])
def test_a_mean_of_skewed_errors_keeps_the_promise_at_the_bar(std, seeds):
    rule = CheckRule(id="a", title="A", threshold=1.0, points=1, direction="at_most", std=std)
    found = of_mean(rule, mean_of(2000), Policy(seeds=seeds), 2000)
    assert found.at_the_bar.exact >= 0.99
    assert found.at_the_bar.simulated >= 0.99 - 0.004
    assert_agrees([found.at_the_bar, found.beyond, *found.curve], 2000, slack=0.012)  # what an order of 1/n may matter


def test_a_mean_whose_errors_are_skewed_the_other_way_is_said_to_break_it():
    rule = CheckRule(id="a", title="A", threshold=1.0, points=1, direction="at_least", std=2.0)
    found = of_mean(rule, mean_of(500), Policy(seeds=1), 5000)
    assert not found.keeps_the_promise
    assert 1 - found.at_the_bar.simulated > 0.012


def test_the_first_value_that_hardly_passes_says_what_n_can_tell_apart():
    rule = CheckRule(id="a", title="A", threshold=0.6, points=1, direction="at_most")
    few, many = (of_mean(rule, mean_of(n), POLICY, 20).beyond.true for n in (1000, 4000))
    assert 0.6 < many < few


def test_the_command_prints_table_and_plot_and_what_tries_make_of_it(tl):
    done = tl("ta", "fairness", "line", "--simulated", "50", "--json")
    assert done.returncode == 0, done.stderr
    (exercise,) = json.loads(done.stdout)["exercises"]
    assert exercise["policy"]["attempts"] == 5
    assert [check["check"] for check in exercise["checks"]] == ["y_error", "z_error"]
    text = tl("ta", "fairness", "line", "--simulated", "50").stdout
    assert "true value  computed  simulated" in text
    assert "within 5 hand-ins" in text
    assert "│ bar" in text
    assert "│" not in tl("ta", "fairness", "line", "--simulated", "50", "--plain").stdout


def test_the_plot_rises_where_the_probability_does():
    lines = list(plot([Point(0.9, 0.0, 0.0), Point(0.95, 0.5, 0.5), Point(1.0, 1.0, 1.0)], 0.95))
    assert lines[0].endswith("o")
    assert lines[10].split("┤")[1].startswith("o")
    assert [line.split("┤")[1].index("o") for line in lines[:11] if "o" in line] == [60, 30, 0]
