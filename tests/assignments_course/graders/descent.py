"""Cases of gradient descent; the report and the paragraph have rubrics in exercise.yaml."""

import numpy as np

from tlcourse.grading.scoring.calls import call, case


def cases(seed, data):
    draw, found = np.random.default_rng(seed), []
    for k in range(6):
        a, w, rate = (float(x) for x in draw.uniform(0.5, 2, 3).round(2))
        rate = rate if k % 2 else 3 / a
        path = [w * (1 - rate * a) ** n for n in range(5)]
        found.append(case(call("descend", a, w, rate, 4), check="descend", expect=path, public=k == 0))
        found.append(case(call("diverges", a, rate), check="diverges", expect=abs(1 - rate * a) > 1, public=k == 0))
    return found
