"""Calls of three pieces. What is right is what the reference gives; it never leaves the staff side."""

import numpy as np

from tlcourse.grading.scoring.calls import call, case, sequence


def cases(seed, data):
    """Eight of each; students may read the first ones where they went wrong."""
    draw = np.random.default_rng(seed)
    for number in range(8):
        x = (draw.normal(size=9 + number) + 8 * (draw.random(9 + number) < 0.2)).round(2)
        yield case(call("trimmed_mean", x, share=0.12 + 0.04 * number), public=number == 0)
        yield case(call("weights", x, 1.5), public=number == 0)
        added = [call("m.add", float(one)) for one in x[:5]]
        yield sequence(call("RunningMedian").kept("m"), *added, public=number == 0)
