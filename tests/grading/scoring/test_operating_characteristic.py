"""The promise to students: at the bar at most 1 in 100 fails by bad luck, 2 points below at most 1 in 100 passes."""

from __future__ import annotations

import numpy as np
import pytest

from tlcourse.grading.scoring import operating_characteristic


@pytest.mark.parametrize(("n", "bar"), [(4000, 0.94), (4000, 0.95), (10_000, 0.9), (153, 0.94), (50, 0.5)])
def test_a_model_at_the_bar_passes_99_times_in_100(n, bar):
    c = operating_characteristic.accepted_successes(n, bar)
    assert operating_characteristic.tail(n, c, bar) >= 0.99
    assert operating_characteristic.tail(n, c + 1, bar) < 0.99  # and no more is given away than that


@pytest.mark.parametrize("bar", [0.93, 0.94, 0.95])
def test_with_4000_items_a_model_2_points_below_passes_less_than_1_time_in_100(bar):
    assert operating_characteristic.pass_probability(4000, bar, bar - 0.02) <= 0.01
    assert operating_characteristic.pass_probability(4000, bar, bar - 0.02, seeds=3) <= 0.01


def test_153_photographs_cannot_keep_that_promise():
    assert operating_characteristic.pass_probability(153, 0.94, 0.92) > 0.5


def test_further_seeds_only_ever_help():
    for p in (0.93, 0.935, 0.94, 0.945, 0.95):
        assert operating_characteristic.pass_probability(
            4000, 0.95, p, seeds=3
        ) >= operating_characteristic.pass_probability(4000, 0.95, p)


def test_the_exact_probabilities_agree_with_simulation():
    rng = np.random.default_rng(1)
    n, bar, seeds = 500, 0.9, 3
    first, near = (
        operating_characteristic.accepted_successes(n, bar),
        operating_characteristic.accepted_successes(n, bar, operating_characteristic.CLEAR),
    )
    needed = operating_characteristic.accepted_successes(seeds * n, bar)
    for p in (0.86, 0.88, 0.9):
        x = rng.binomial(n, p, 20_000)
        more = rng.binomial((seeds - 1) * n, p, 20_000)
        passed = (x >= first) | ((x >= near) & (x + more >= needed))
        exact = operating_characteristic.pass_probability(n, bar, p, seeds)
        assert abs(passed.mean() - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000) + 1e-9


def test_a_share_that_must_be_small_is_the_mirror_image():
    assert operating_characteristic.accepted_failures(1000, 0.05) == 1000 - operating_characteristic.accepted_successes(
        1000, 0.95
    )


@pytest.mark.parametrize(("c", "p", "expected"), [(0, 0.3, 1.0), (11, 0.3, 0.0), (3, 0.0, 0.0), (3, 1.0, 1.0)])
def test_the_ends_of_the_tail(c, p, expected):
    assert operating_characteristic.tail(10, c, p) == expected


def test_who_may_try_often_passes_by_luck_more_often():
    assert operating_characteristic.pass_within(3, 0.1) == pytest.approx(1 - 0.9**3)
    assert operating_characteristic.pass_within(3, 1.0) == 1.0
