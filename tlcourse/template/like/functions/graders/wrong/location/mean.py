"""Must fail: trimmed_mean, weights. Nothing is cut off, and no miss weighs less."""

import numpy as np


def trimmed_mean(x, share):
    return float(np.mean(x))


def weights(misses, width):
    return np.ones_like(misses)


class RunningMedian:
    def __init__(self):
        self.seen = []

    def add(self, value):
        self.seen.append(value)
        return float(np.median(self.seen))
