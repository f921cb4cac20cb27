"""Must fail: shifts. It takes the mean for the median."""

import numpy as np


def shifts(x, outlier):
    moved = float(np.append(x, outlier).mean() - x.mean())
    return {"mean": moved, "median": moved}
