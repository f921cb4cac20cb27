"""The signs that are drawn for GTSRB: all 43 classes, told apart, and never twice the same."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch


@pytest.fixture(scope="module")
def signs() -> ModuleType:
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        import signs
    finally:
        sys.path.pop(0)
    return signs


def test_no_two_classes_are_drawn_alike(signs):
    drawn = [np.asarray(signs.board(n, np.random.default_rng(0)), np.float64) for n in range(signs.CLASSES)]
    assert all(one[..., 3].mean() > 60 for one in drawn), "a sign fills a third of its square"
    apart = [np.abs(a - b).mean() for i, a in enumerate(drawn) for b in drawn[:i]]
    assert min(apart) > 1, "30 and 80, the nearest, differ in a stroke"


def test_signs_of_a_class_differ_from_each_other(signs):
    rng = np.random.default_rng(0)
    first, second = (np.asarray(signs.board(1, rng), np.float64) for _ in range(2))
    assert np.abs(first - second).mean() > 1


@pytest.mark.slow
def test_pictures_have_every_class_equally_often_and_come_again_with_their_seed(signs):
    x, y = signs.draw(2, seed=1)
    assert (x.shape, x.dtype, len(y)) == ((86, 3, 32, 32), torch.uint8, 86)
    assert y.bincount().tolist() == [2] * signs.CLASSES
    assert torch.equal(x, signs.draw(2, seed=1)[0])
    assert not torch.equal(x, signs.draw(2, seed=2)[0])
