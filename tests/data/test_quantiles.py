"""The generator of exercise 3: another one for every seed, and one for training and validation."""

from __future__ import annotations

import numpy as np
import pytest

from tlcourse.data.synthetic import quantiles, train_and_val
from tlcourse.data.synthetic.conditionals import Gaussian, HeavyTailed, Skewed, TwoHumped

SIZES = {"train": 300, "val": 50}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_problem():
    one, again, other = (quantiles.train_and_val(SIZES, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(one[0][name], again[0][name]) for name in ("x", "y"))
    assert not np.array_equal(one[0]["y"], other[0]["y"])
    assert not np.allclose(quantiles.draw_problem(1).directions, quantiles.draw_problem(2).directions)


def test_training_and_validation_share_the_problem_and_no_item():
    train, val = quantiles.train_and_val(SIZES, 5)
    assert train["x"].shape == (300, 8)
    assert val["y"].shape == (50, 4)
    assert train["x"].dtype == train["y"].dtype == np.float32
    assert not set(map(bytes, train["x"])) & set(map(bytes, val["x"]))
    for data in (train, val):
        given = quantiles.conditionals(quantiles.draw_problem(5), data["x"])
        inside = [
            (d.cdf(data["y"][:, k : k + 1].astype(float)) > 0.05)
            & (d.cdf(data["y"][:, k : k + 1].astype(float)) < 0.95)
            for k, d in enumerate(given)
        ]
        assert np.mean(inside) == pytest.approx(0.9, abs=0.06)


def test_the_tasks_have_four_shapes_and_widths_that_change():
    given = quantiles.conditionals(quantiles.draw_problem(3), quantiles.inputs(2000, np.random.default_rng(0)))
    assert [type(one) for one in given] == [Gaussian, Skewed, HeavyTailed, TwoHumped]
    for one in given:
        assert one.width.max() / one.width.min() > 2
    left = given[3].left
    assert 0.35 <= left.min() < 0.45
    assert 0.55 < left.max() <= 0.65


def test_a_task_made_without_a_grader_has_the_data_of_the_grader():
    train, val = train_and_val("quantiles", SIZES, 9)
    expected = quantiles.train_and_val(SIZES, 9)
    assert np.array_equal(train["y"], expected[0]["y"])
    assert np.array_equal(val["x"], expected[1]["x"])
    stars = train_and_val("stars", {"train": 3, "val": 2}, 9)
    assert [len(part["x"]) for part in stars] == [3, 2]
