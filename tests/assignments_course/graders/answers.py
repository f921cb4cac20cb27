"""Labels of the rows that students have; in their copy there are none, and nothing can be measured."""

import csv

import numpy as np

from tlcourse.grading.scoring.measurement import proportion


def make(sizes, seed, variant, data):
    if data.hidden is None:
        return {}, {}, None
    with (data.hidden / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {}, {}, {"id": np.array([r["id"] for r in rows]), "label": np.array([int(r["label"]) for r in rows])}


def measure(test, predictions, probes):
    right = int((predictions["label"] == test["label"]).sum())
    return {"right": proportion(right, len(test["label"]), "Draw the line between them.", fresh=False)}
