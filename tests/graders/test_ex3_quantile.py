"""The grader of exercise 3 scores quantiles against the distributions, and says which task, by how much, and why."""

from __future__ import annotations

import numpy as np
import pytest

from tlcourse.course.loader import load_course
from tlcourse.data.synthetic import quantiles
from tlcourse.data.synthetic.quantiles import TAUS, Problem
from tlcourse.grading.grader import Grader
from tlcourse.grading.scoring.decide import decide

PROBES = {"parameters": 1000.0, "shared_share": 0.9}
TASKS = ("gaussian", "skewed", "heavy_tailed", "two_humped")


@pytest.fixture(scope="module")
def grader():
    return Grader(load_course().exercises["ex3"])


@pytest.fixture(scope="module")
def test(grader):
    return grader.make(4, "mini").test


@pytest.fixture(scope="module")
def truth(test):
    """The true quantiles, (n, 4, 7)."""
    problem = Problem(**{name: test[name] for name in Problem.__dataclass_fields__})
    return np.stack([given.quantiles(TAUS) for given in quantiles.conditionals(problem, test["x"])], axis=1)


@pytest.fixture
def graded(grader, test):
    def grade(predicted, probes=PROBES):
        measured = grader.measure(test, {"quantiles": predicted.astype(np.float32)}, probes)
        return {check.id: check for check in decide(grader.about.checks, [measured])}

    return grade


def failed(checks):
    return {name for name, check in checks.items() if not check.passed}


def test_the_true_quantiles_have_no_excess_and_the_right_coverage(graded, truth):
    checks = graded(truth)
    assert failed(checks) == set()
    assert all(abs(checks[name].value) < 1e-6 for name in TASKS)
    assert checks["coverage"].value < 1e-4
    assert checks["crossing"].value == 0


def test_the_excess_is_that_of_the_losses_summed_over_inputs(graded, truth, test, grader):
    inside = test["inside"]
    assert (inside.sum(), len(inside)) == (4000, 6000)
    assert np.abs(test["x"][inside]).max() <= 1 < np.abs(test["x"][~inside]).max() <= 1.5
    by_hand = []
    for shift in (0.02, 0.04):
        checks = graded(truth + shift)
        assert all(checks[name].value > 0 for name in TASKS)
        by_hand.append(checks["gaussian"].value)
    assert by_hand[1] / by_hand[0] == pytest.approx(4, rel=0.2)  # near the optimum the loss is a parabola
    assert checks["gaussian"].interval[0] < checks["gaussian"].value < checks["gaussian"].interval[1]


def test_swapped_heads_are_named(graded, truth):
    checks = graded(truth[:, [0, 2, 1, 3]])
    assert failed(checks) == {"skewed", "heavy_tailed", "coverage"}
    assert "fit the task `heavy-tailed`" in checks["skewed"].message
    assert "above the lowest possible loss" in checks["skewed"].message


def test_levels_in_reverse_order_are_named(graded, truth):
    assert "reverse order" in graded(truth[..., ::-1])["gaussian"].message


def test_one_number_for_all_levels_is_named(graded, truth):
    checks = graded(np.repeat(truth[..., 3:4], 7, axis=2))
    assert "All seven levels are about the same number" in checks["two_humped"].message
    assert {"gaussian", "coverage"} <= failed(checks)


def test_quantiles_that_do_not_depend_on_the_input_are_named(graded, truth):
    checks = graded(np.broadcast_to(truth.mean(0), truth.shape))
    assert "hardly depend on the input" in checks["skewed"].message


def test_one_width_for_all_inputs_is_named_and_covers_too_little_where_it_is_noisy(graded, truth):
    predicted = truth.copy()
    median = truth[:, 0, 3:4]
    predicted[:, 0] = median + (truth[:, 0] - median).mean(0)
    checks = graded(predicted)
    assert "wide everywhere" in checks["gaussian"].message
    assert "coverage" in failed(checks)
    assert "on the third of inputs where it is" in checks["coverage"].message


def test_a_level_that_is_too_high_is_named_with_its_share(graded, truth):
    predicted = truth.copy()
    predicted[:, 1, 6] += 1.5
    checks = graded(predicted)
    assert failed(checks) >= {"skewed"}
    assert "The level 0.95 costs most (100% of the excess)" in checks["skewed"].message
    assert "too high on the whole" in checks["skewed"].message


def test_one_crossing_outside_the_training_box_is_one_too_many(graded, truth, test):
    predicted = truth.copy()
    predicted[np.flatnonzero(~test["inside"])[7], 2, 4] -= 100
    checks = graded(predicted)
    assert failed(checks) == {"crossing"}
    assert checks["crossing"].message.startswith("heavy-tailed: the quantiles cross")
    assert "0.75 lies below 0.5" in checks["crossing"].message


def test_rounding_is_no_crossing(graded, truth):
    predicted = truth.copy()
    predicted[:, :, 4] = predicted[:, :, 3] - 1e-6
    assert graded(predicted)["crossing"].passed


@pytest.mark.parametrize(
    ("probes", "said"),
    [
        ({}, "Nothing could be measured"),
        ({"parameters": 1000.0, "shared_share": 0.0}, "networks side by side"),
        ({"parameters": 1000.0, "shared_share": 0.3}, "30% of the 1,000 parameters"),
        ({"parameters": float("nan"), "shared_share": float("inf")}, "Nothing could be measured"),
    ],
)
def test_too_little_sharing_fails_and_says_so(graded, truth, probes, said):
    check = graded(truth, probes)["shared_trunk"]
    assert not check.passed
    assert said in check.message


def test_a_forged_share_is_at_most_all(graded, truth):
    assert graded(truth, {"parameters": 10.0, "shared_share": 1e9})["shared_trunk"].value == 1.0


def test_absurd_predictions_are_measured_all_the_same(graded, truth):
    checks = graded(np.full_like(truth, 1e30))
    assert set(TASKS) <= failed(checks)
    assert all(np.isfinite(check.value) for check in checks.values())


def test_the_data_hide_the_problem_and_the_labels(grader):
    data = grader.make(4, "mini")
    assert set(data.train) == set(data.val) == {"x", "y"}
    assert set(data.sent.test_inputs) == {"x"}
    assert data.sha256 == grader.make(4, "mini").sha256 != grader.make(5, "mini").sha256
