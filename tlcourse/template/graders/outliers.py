"""Two inputs, a plane, and labels of which one in five is 8 too large; the test's labels are right."""

import numpy as np

from tlcourse.data.synthetic import derived_seed, split_seeds
from tlcourse.grading.scoring.measurement import proportion

WRONG, OFF, NOISE, CLOSE = 0.2, 8.0, 0.02, 0.1


def make(sizes, seed, variant):
    """Training, validation and test data: `x` (n, 2) and `y` (n,), float32. The same seed gives the same plane."""
    plane = np.random.default_rng(derived_seed(seed, "plane")).uniform(-2, 2, size=3)
    splits = []
    for name, one in zip(("train", "val", "test"), split_seeds(seed), strict=True):
        draw = np.random.default_rng(one)
        x = draw.normal(size=(sizes[name], 2))
        y = x @ plane[:2] + plane[2]
        if name != "test":
            y += draw.normal(0, NOISE, len(y)) + OFF * (draw.random(len(y)) < WRONG)
        splits.append({"x": x.astype(np.float32), "y": y.astype(np.float32)})
    return splits


def measure(test, predictions, probes):
    """One measurement for each check of exercise.yaml, with a message that helps."""
    miss = predictions["y"] - test["y"]
    close = int((np.abs(miss) <= CLOSE).sum())
    return {"within": proportion(close, len(miss), f"Predictions are {np.median(miss):+.2f} off, by their median.")}
