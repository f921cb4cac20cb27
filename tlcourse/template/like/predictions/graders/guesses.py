"""Labels of the rows that students have; in their copy there are none, and nothing can be measured."""

import csv

import numpy as np

from tlcourse.grading.scoring.measurement import proportion


def make(sizes, seed, variant, data):
    """The third table is what a file is measured on, in any order of its ids."""
    with (data.hidden / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {}, {}, {"id": np.array([row["id"] for row in rows]), "y": np.array([float(row["y"]) for row in rows])}


def measure(test, predictions, probes):
    """The share of rows whose prediction is close. The rows are the same for everybody, and each time."""
    miss = predictions["y"] - test["y"]
    close = int((np.abs(miss) <= 0.1).sum())
    said = f"Predictions are {np.median(miss):+.2f} off, by their median."
    return {"within": proportion(close, len(miss), said, fresh=False)}
