"""Cases of six pieces; what is right is computed here."""

import numpy as np

from tlcourse.grading.scoring.calls import call, case, sequence


def cases(seed, data):
    draw = np.random.default_rng(seed)
    found = []
    for k in range(8):
        w, X, t = draw.normal(size=3), draw.normal(size=(6, 3)), draw.integers(0, 2, 6)
        z, losses, public = X @ w, draw.uniform(size=5).round(2).tolist(), k == 0
        p = 1 / (1 + np.exp(-z))
        found += [
            case(call("sigmoid", z), check="sigmoid", expect=p, public=public),
            case(call("loss", w, X, t=t), check="loss", expect=-np.log(np.where(t, p, 1 - p)).mean(), public=public),
            case(call("gradient", w, X, t), check="gradient", expect=X.T @ (p - t) / 6, public=public),
            sequence(
                call("Standardiser").kept("s"),
                call("s.fit", X).kept("fitted"),
                call("s.transform", X),
                call("s.transform", X[:1]),
                check="standardiser",
                expect=[(X - X.mean(0)) / X.std(0), (X[:1] - X.mean(0)) / X.std(0)],
            ),
            case(
                call("batches", 7 + k, 3),
                check="batches",
                expect=[list(range(7 + k))[i : i + 3] for i in range(0, 7 + k, 3)],
            ),
            case(
                call("report", losses),
                check="report",
                expect={"best": min(losses), "text": f"best {min(losses):.2f} at step {losses.index(min(losses))}"},
            ),
        ]
    return [*found, case(call("sigmoid", np.array([-1000.0, 1000.0])), check="sigmoid", expect=np.array([0.0, 1.0]))]
