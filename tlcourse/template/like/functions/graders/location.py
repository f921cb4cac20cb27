"""Cases of three pieces. What is right is computed here, and never leaves the staff side."""

import numpy as np

from tlcourse.grading.scoring.calls import call, case, sequence


def trimmed_mean(x, share):
    cut = int(share * len(x))
    return np.sort(x)[cut : len(x) - cut].mean()


def cases(seed, data):
    """Eight of each; students may read the first ones where they went wrong."""
    draw = np.random.default_rng(seed)
    found = []
    for number in range(8):
        x = (draw.normal(size=9 + number) + 8 * (draw.random(9 + number) < 0.2)).round(2)
        share, seen, public = 0.12 + 0.04 * number, x[:5].tolist(), number == 0
        medians = [float(np.median(seen[: count + 1])) for count in range(len(seen))]
        found += [
            case(call("trimmed_mean", x, share=share), check="trimmed", expect=trimmed_mean(x, share), public=public),
            case(call("weights", x, 1.5), check="weights", expect=1.5 / np.maximum(abs(x), 1.5), public=public),
            sequence(
                call("RunningMedian").kept("m"),
                *(call("m.add", value) for value in seen),
                check="running",
                expect=medians,
                public=public,
            ),
        ]
    return found
