"""Where the middle is. This starter runs and does not pass.

Try it:  tlcourse grade location solution.py
"""

import numpy as np


def trimmed_mean(x, share):
    """(n,) and a share below a half -> a number."""
    return float(np.mean(x))  # TODO: without both ends.


def weights(misses, width):
    """(n,) and a width above 0 -> (n,)."""
    raise NotImplementedError  # TODO


class RunningMedian:
    """The median of all numbers so far."""

    def add(self, value):
        """A number -> the median of all so far."""
        raise NotImplementedError  # TODO
