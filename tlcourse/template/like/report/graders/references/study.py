"""Both, with the outlier and without."""

import numpy as np


def shifts(x, outlier):
    more = np.append(x, outlier)
    return {"mean": float(more.mean() - x.mean()), "median": float(np.median(more) - np.median(x))}
