"""Must fail: runningmedian. All medians share one list, which holds the numbers of others."""

import numpy as np


def trimmed_mean(x, share):
    cut = int(share * len(x))
    return float(np.sort(x)[cut : len(x) - cut].mean())


def weights(misses, width):
    return width / np.maximum(np.abs(misses), width)


SEEN = []


class RunningMedian:
    def add(self, value):
        SEEN.append(value)
        return float(np.median(SEEN))
