"""Texts of drawn letters, two of which take two bytes."""

import numpy as np

from tlcourse.data.synthetic import split_seeds
from tlcourse.grading.scoring.measurement import proportion

VOWELS = "aeiouä"


def make(sizes, seed, variant):
    splits = []
    for name, one in zip(("train", "val", "test"), split_seeds(seed), strict=True):
        draw = np.random.default_rng(one)
        letters = np.array(list("aeioubcdäß "))
        texts = ["".join(draw.choice(letters, draw.integers(0, 12))) for _ in range(sizes[name])]
        splits.append(
            {
                "x": [text.encode() for text in texts],
                "vowels": np.array([sum(c in VOWELS for c in text) for text in texts], np.int64),
                "backwards": [text[::-1].encode() for text in texts],
            }
        )
    return splits


def measure(test, predictions, probes):
    n = len(test["x"])
    written = sum(map(bytes.__eq__, predictions["backwards"], test["backwards"]))
    return {
        "counted": proportion((predictions["vowels"] == test["vowels"]).sum(), n, "Count letters, not bytes."),
        "written": proportion(written, n, "Turn letters round, not bytes."),
    }
