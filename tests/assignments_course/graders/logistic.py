"""Calls of six pieces; the reference says what is right."""

import numpy as np

from tlcourse.grading.scoring.calls import call, case, sequence


def cases(seed, data):
    draw = np.random.default_rng(seed)
    yield call("sigmoid", np.array([-1000.0, 1000.0]))
    for k in range(8):
        w, X, t = draw.normal(size=3), draw.normal(size=(6, 3)), draw.integers(0, 2, 6)
        yield case(call("sigmoid", X @ w), public=k == 0)
        yield case(call("loss", w, X, t=t), public=k == 0)
        yield case(call("gradient", w, X, t), public=k == 0)
        yield sequence(
            call("Standardiser").kept("s"),
            call("s.fit", X).kept("fitted"),
            call("s.transform", X),
            call("s.transform", X[:1]),
        )
        yield call("batches", 7 + k, 3)
        yield call("report", draw.uniform(size=5).round(2).tolist())
