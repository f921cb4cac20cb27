"""Intervals over seeds: Student's, paired, and infinite where one seed is all there is."""

from __future__ import annotations

import math
import random

import pytest

from tlcourse.labs.result import difference, interval


def test_the_interval_is_students():
    found = interval([1.0, 2.0, 3.0, 4.0])
    assert found.mean == 2.5
    assert found.half == pytest.approx(3.182 * math.sqrt(5 / 3 / 4))


def test_one_seed_tells_nothing_about_chance():
    assert interval([0.7]).mean == 0.7
    assert math.isinf(interval([0.7]).low)


@pytest.mark.parametrize("n", [2, 8, 14, 40])
def test_it_covers_the_true_mean_as_often_as_it_says(n):
    draw = random.Random(n)
    covered = 0
    for _ in range(3000):
        found = interval([draw.gauss(5, 2) for _ in range(n)])
        covered += found.low <= 5 <= found.high
    assert 0.94 <= covered / 3000 <= 0.975


def test_what_both_arms_share_does_not_blur_their_difference():
    draw = random.Random(1)
    luck = [draw.gauss(0, 10) for _ in range(8)]
    method = [one + 1 + draw.gauss(0, 0.1) for one in luck]
    assert difference(method, luck).low > 0.8
    with pytest.raises(ValueError, match="argument 2 is"):
        difference([1.0], [1.0, 2.0])
