"""What exercise 2's grader measures, and what it says: on predictions that were made up, each wrong in its own way."""

from __future__ import annotations

import numpy as np
import pytest

from tlcourse.course.loader import load_course
from tlcourse.grading.grader import Grader
from tlcourse.grading.scoring.decide import decide

EXERCISE = load_course().exercises["ex2"]
GRADER = Grader(EXERCISE)
SHARED = {"parameters": 1000.0, "shared_share": 0.9}
RNG = np.random.default_rng(3)
COUNT = RNG.integers(3, 10, 4000)
RADIUS = RNG.uniform(10, 24, 4000).astype(np.float32)


def measured(count=COUNT, radius=RADIUS, probes=SHARED):
    logits = np.full((len(COUNT), 7), -1.0, np.float32)
    logits[np.arange(len(COUNT)), np.asarray(count) - 3] = 1
    predictions = {"logits": logits, "radius": np.asarray(radius, np.float32)}
    return GRADER.measure({"count": COUNT, "radius": RADIUS}, predictions, probes)


def test_perfect_predictions_pass_every_check():
    checks = decide(EXERCISE.about.checks, [measured()])
    assert [check.passed for check in checks] == [True, True, True]
    assert [check.value for check in checks] == [1.0, 0.0, 0.9]
    assert sum(check.points for check in checks) == 10
    assert [check.self_reported for check in checks] == [False, False, True]


def test_the_kinds_of_measurement_are_those_that_the_policy_decides_by():
    kinds = {name: (found.kind, found.n) for name, found in measured().items()}
    assert kinds == {
        "points_accuracy": ("proportion", 4000),
        "size_error": ("mean", 4000),
        "shared_trunk": ("exact", 1000),
    }


def off_by_one(share):
    chosen = RNG.random(len(COUNT)) < share
    return np.where(chosen, np.where(COUNT == 9, 8, COUNT + 1), COUNT)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (np.full(4000, 5), "Every star is said to have 5 points"),
        (RNG.permutation(COUNT), "about what guessing gives"),
        (np.minimum(COUNT, 7), "Never predicted: 8, 9 points"),
        (off_by_one(0.2), "one point off"),
    ],
)
def test_a_wrong_count_is_explained(count, said):
    found = measured(count=count)["points_accuracy"]
    assert found.value == pytest.approx((count == COUNT).mean())
    assert said in found.message


@pytest.mark.parametrize(
    ("radius", "said"),
    [
        (np.full(4000, 17.0), "Every radius is predicted as about 17.0 px"),
        (RNG.permutation(RADIUS), "hardly follows the size"),
        (34 - RADIUS, "wrong sign"),
        ((RADIUS - 17) / 4, "The unit is wrong"),
        (RADIUS + 2, "2.00 px too large"),
        (RADIUS + RNG.normal(0, 5, 4000), "follows the size only loosely"),
        (RADIUS + RNG.normal(0, 1, 4000), "Nearly there"),
    ],
)
def test_a_wrong_size_is_explained(radius, said):
    found = measured(radius=radius)["size_error"]
    assert found.value == pytest.approx(np.abs(radius - RADIUS).mean(), rel=1e-5)
    assert said in found.message


@pytest.mark.parametrize(
    ("probes", "said"),
    [
        ({"parameters": 1000.0, "shared_share": 0.0}, "two networks side by side"),
        ({"parameters": 1000.0, "shared_share": 0.2}, "20% of the 1,000 parameters"),
        ({"parameters": 1000.0}, "Nothing could be measured"),
        ({"parameters": 1000.0, "shared_share": float("nan")}, "Nothing could be measured"),
        ({}, "has no parameters"),
        ({"parameters": float("inf"), "shared_share": 7.0}, ""),
    ],
)
def test_a_trunk_that_is_not_shared_is_explained_and_odd_probes_harms_nobody_else(probes, said):
    found = measured(probes=probes)["shared_trunk"]
    assert 0 <= found.value <= 1
    assert said in found.message
