"""A seed makes the data that it made when the figures in handouts, lessons and the record were measured.

Labels are compared exactly, numbers as means: the last bits of a sine depend on the machine and on NumPy's version.
"""

from __future__ import annotations

import numpy as np
import pytest

from tlcourse.data.synthetic import insects, quantiles, split_seeds, stars


def fingerprint(*arrays):
    """Means of each array, plain and weighted by position, so that no two rows may change places."""
    weights = [np.cos(np.arange(one.size)).reshape(one.shape) for one in arrays]
    return [float(x) for a, w in zip(arrays, weights, strict=True) for x in (a.mean(), (a * w).mean())]


def found(seed):
    ants, species, star = insects.make(40, seed), insects.make_source(40, seed), stars.make(40, seed)
    train, val = quantiles.train_and_val({"train": 40, "val": 20}, seed)
    return {
        "seeds": [one % 1000 for one in split_seeds(seed)],
        "ants": ants["label"][:12].tolist(),
        "species": species["label"][:12].tolist(),
        "stars": star["count"][:12].tolist(),
        "numbers": fingerprint(ants["x"], species["x"], star["x"], star["radius"], train["x"], train["y"], val["y"]),
    }


EXPECTED = {
    1: {
        "seeds": [736, 321, 572],
        "ants": [1, 1, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1],
        "species": [9, 6, 0, 11, 0, 7, 6, 5, 15, 16, 3, 12],
        "stars": [6, 6, 8, 9, 3, 4, 8, 9, 4, 5, 9, 5],
        "numbers": [
            0.5132368,
            0.0009063,
            0.5206613,
            -0.0006645,
            0.5199402,
            -9.74e-05,
            17.8799553,
            0.7376543,
            -0.0346356,
            0.0106722,
            0.0095765,
            0.0411519,
            0.0559321,
            0.0735842,
        ],
    },
    2: {
        "seeds": [830, 119, 259],
        "ants": [0, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0],
        "species": [5, 15, 6, 7, 0, 12, 16, 6, 3, 3, 7, 11],
        "stars": [8, 4, 3, 5, 5, 8, 6, 3, 5, 7, 8, 8],
        "numbers": [
            0.5244709,
            4.03e-05,
            0.4495168,
            0.000119,
            0.4896265,
            2.18e-05,
            17.7608795,
            1.2277531,
            0.0601727,
            -0.0195656,
            0.1236645,
            -0.0040242,
            0.2458683,
            0.02732,
        ],
    },
    12345: {
        "seeds": [276, 674, 908],
        "ants": [0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1],
        "species": [5, 9, 11, 16, 14, 12, 3, 2, 5, 0, 9, 1],
        "stars": [7, 4, 8, 5, 4, 8, 7, 7, 9, 5, 8, 5],
        "numbers": [
            0.4997503,
            0.0002927,
            0.5350904,
            0.0004945,
            0.4447508,
            3.25e-05,
            16.1954708,
            0.0416929,
            0.0133564,
            -0.0130163,
            0.1062508,
            -0.001809,
            0.0269923,
            -0.0108261,
        ],
    },
}


@pytest.mark.parametrize("seed", EXPECTED)
def test_a_seed_makes_the_data_that_it_always_made(seed):
    made, expected = found(seed), EXPECTED[seed]
    assert made.pop("numbers") == pytest.approx(expected["numbers"], abs=1e-6)
    assert made == {name: value for name, value in expected.items() if name != "numbers"}
