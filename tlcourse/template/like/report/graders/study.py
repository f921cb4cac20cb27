"""Calls of `shifts`; the report has no grader, but a rubric in exercise.yaml."""

import numpy as np

from tlcourse.grading.scoring.calls import call, case


def cases(seed, data):
    """Eight sets of numbers, each with an outlier."""
    draw = np.random.default_rng(seed)
    for number in range(8):
        x, outlier = draw.normal(size=7 + number).round(2), round(draw.uniform(5, 50), 1)
        yield case(call("shifts", x, outlier), public=number == 0)
