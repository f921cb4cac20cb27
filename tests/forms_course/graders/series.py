"""Series of 1 to 9 steps of two numbers; and rows of which a file says which are odd."""

import numpy as np

from tlcourse.data.synthetic import split_seeds
from tlcourse.grading.scoring.measurement import mean, proportion


def make(sizes, seed, variant):
    splits = []
    for name, one in zip(("train", "val", "test"), split_seeds(seed), strict=True):
        draw = np.random.default_rng(one)
        x = [draw.normal(size=(draw.integers(1, 10), 2)).astype(np.float32) for _ in range(sizes[name])]
        splits.append(
            {
                "x": x,
                "mean": np.array([one.mean() for one in x], np.float32),
                "sign": [(one.sum(1) > 0).astype(np.uint8) for one in x],
            }
        )
    splits[2]["id"] = np.arange(sizes["test"])  # rows of the file, the same for every seed
    return splits


def measure(test, predictions, probes):
    right = np.concatenate([a == b for a, b in zip(predictions["sign"], test["sign"], strict=True)])
    return {
        "mean": mean(np.abs(predictions["mean"].astype(np.float64) - test["mean"]), "Of both numbers."),
        "sign": proportion(right.sum(), len(right), "A step is both numbers together."),
    }


def measure_predictions(test, predictions):
    right = (predictions["guess"] == test["id"] % 2).sum()
    return {"guess": proportion(right, len(test["id"]), "Which rows are odd?", fresh=False)}
