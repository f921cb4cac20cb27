"""Each kind of shift changes what it is named for, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tlcourse.data.taxonomy import pair, setting_of

N = 60_000
GRID = np.stack(np.meshgrid(np.linspace(-2, 2, 9), np.linspace(-2, 2, 9)), axis=-1).reshape(-1, 2)


def drawn(shift, seed=1):
    both = pair(shift, (True, True), seed)
    rng = np.random.default_rng(seed)
    return both, both.source.draw(N, rng), both.target.draw(N, rng)


def same_inputs(a, b):
    return bool(np.abs(a.mean(0) - b.mean(0)).max() < 0.03 and np.abs(np.cov(a.T) - np.cov(b.T)).max() < 0.05)


def same_answers(both):
    return bool(np.abs(both.source.probability(GRID) - both.target.probability(GRID)).max() < 1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("shift", "inputs", "answers"),
    [("none", True, True), ("covariate", False, True), ("concept", True, False), ("label", False, False)],
)
def test_a_shift_changes_inputs_answers_or_both(shift, inputs, answers, seed):
    both, (xs, _), (xt, _) = drawn(shift, seed)
    assert same_inputs(xs, xt) is inputs
    assert same_answers(both) is answers


@pytest.mark.parametrize("seed", range(5))
def test_label_shift_keeps_how_each_class_looks(seed):
    _, (xs, ys), (xt, yt) = drawn("label", seed)
    assert abs(ys.mean() - yt.mean()) > 0.2
    assert all(same_inputs(xs[ys == c], xt[yt == c]) for c in (0, 1))


@pytest.mark.parametrize("shift", ["none", "covariate", "label", "concept"])
def test_labels_come_as_often_as_their_probability_says(shift):
    both, (xs, ys), _ = drawn(shift)
    expected = both.source.probability(xs)
    for low in np.arange(0, 1, 0.2):
        inside = (expected >= low) & (expected < low + 0.2)
        assert abs(ys[inside].mean() - expected[inside].mean()) < 0.03


def test_the_setting_follows_from_tasks_and_labels():
    assert setting_of("covariate", (True, False)) == "transductive"
    assert setting_of("covariate", (True, True)) == "inductive"
    assert setting_of("concept", (False, True)) == "inductive"
    assert setting_of("concept", (False, False)) == "unsupervised"
    with pytest.raises(ValueError, match="nothing can be learnt"):
        pair("concept", (True, False), 0)


def test_the_same_seed_gives_the_same_pair_and_others_differ():
    assert pair("covariate", (True, False), 3) == pair("covariate", (True, False), 3)
    assert pair("covariate", (True, False), 3) != pair("covariate", (True, False), 4)
