"""Every numeric answer of the bundled course, computed once more from what its prompt says; drawn ones at 50 seeds."""

from __future__ import annotations

import math
import re

import pytest

from tlcourse.course.loader import load_course
from tlcourse.quiz.kinds.drawn import shown

log, exp, sqrt = math.log, math.exp, math.sqrt
QUESTIONS = [q for quiz in load_course().quizzes.values() for q in quiz.questions]
NUMERIC = {q.id: q for q in QUESTIONS if q.type == "numeric"}
DRAWN = {q.id: q for q in QUESTIONS if q.type == "drawn"}
SEEDS = range(50)
EXPECTED = {
    "tune-share": 100 * 8.39 / 11.18,
    "augment-bag": sum("not good really not a good price".split().count(w) for w in ("good", "not", "price")),
    "read-gap": (0.886 - 0.74) / (0.999 - 0.74),
}


def split(a, b):
    """The common weight with the least sum of squares, by search."""
    return min((c**2 + (a - c) ** 2 + (b - c) ** 2, c) for c in (n / 1000 for n in range(-4000, 6000)))[1]


def noise(l):  # noqa: E741 - as the question names it
    return min((l / (2 * s) + log(s) / 2, s) for s in (n / 200 for n in range(1, 6000)))[1]


def odds(q, a, b):
    """The posterior by Bayes: the likelihood ratio is what the old prior leaves of the old odds."""
    ratio = q * (1 - a) / ((1 - q) * a)
    return ratio * b / (ratio * b + 1 - b)


def prototype(a, b, u, x, y):
    points = [(a - u, b + 1), (a, b - 2), (a + u, b + 1)]
    centre = [sum(point[axis] for point in points) / 3 for axis in (0, 1)]
    return (x - centre[0]) ** 2 + (y - centre[1]) ** 2


FAMILIES = {
    "pre-parameters": (lambda n, m: (n + 1) * m, 130, 7690),
    "pre-loss": (lambda p: log(1 / p), 0.2, 2.4),
    "practical-gpu-hours": (lambda m, r, s, t: m * r * s * t / 60, 1, 60),
    "practical-wait": (lambda p: p / (1 - p), 1, 20),
    "practical-seeds": (lambda s, n: sqrt(s**2 / n + s**2 / n), 0.3, 2.2),
    "residual-gradient-factor": (lambda n, f: math.prod([1 + f] * int(n)), 0.1, 40),
    "residual-shortcut-parameters": (lambda c: 2 * c * c, 2048, 524288),
    "residual-bottleneck": (lambda c, m: c * m + m * m * 9 + m * c, 17000, 1.2e6),
    "dense-iou": (lambda p, t, b: b / (p + t - b), 0.1, 0.9),
    "dense-class-iou": (lambda a, b, c, d: a / (a + b + c), 0.35, 0.9),
    "transfer-mixture": (lambda n, s, d: 0.5**2 * s**2 / n + 0.5**2 * d**2, 0.5, 16),
    "transfer-best-weight": (lambda v, d: d**2 / (d**2 + v), 0.03, 0.98),
    "covariate-new-marginal": (lambda a, b, q: q * a + (1 - q) * b, 0.1, 0.8),
    "covariate-label-shift-posterior": (lambda a, b, p: a * p / (a * p + b * (1 - p)), 0.1, 0.98),
    "covariate-weight": (lambda s, t: t / s, 0.1, 8),
    "covariate-effective-sample": (lambda w, n: (w + n) ** 2 / (w**2 + n), 1.5, 9.8),
    "kinds-a-distance": (lambda e: 2 * (1 - 2 * e), 0.05, 1.95),
    "watch-ppv": (lambda s, c, p: s * p / (s * p + (1 - c) * (1 - p)), 0.03, 1),
    "watch-odds": (odds, 0.02, 0.99),
    "watch-effective": (lambda k, m, r: k * m / (1 + (m - 1) * r), 15, 400),
    "tune-rate": (lambda h, f, d: h / f**d, 1e-4, 0.02),
    "anchor-target": (lambda a, p: (1 - a) * 1 + a * p, 0.5, 1),
    "anchor-start": (lambda a: 1 - a, 0.05, 1),
    "anchor-pseudo": (lambda m, n: m / (m + n), 0.02, 0.95),
    "bridge-lambda": (lambda g, s: s / g**2, 0.02, 0.98),
    "bridge-loss": (lambda l, p, q: -l * log(p) - (1 - l) * log(q), 0.3, 2.3),  # noqa: E741
    "fish-square": (lambda a, b: (a**2 + a**2 + b**2 + b**2) / 4, 2, 31),
    "fish-logistic": (lambda p, x: p * (1 - p) * x**2, 0.05, 4),
    "fish-size": (lambda n, s: n * 1e6 * s / 100 * 8 / 1e6, 0.3, 140),
    "adapter-count": (lambda d, m: d * m + m + m * d + d, 4000, 140000),
    "adapter-parallel-share": (lambda k: 100 / k**2, 1, 26),
    "adapter-tasks": (lambda t, a, n: t + n * a, 20, 400),
    "lora-count": (lambda r, n, m: r * n + r * m, 3000, 270000),
    "lora-scale": (lambda k, r, x, y, b, c: k / r * (b * x + c * y), -40, 40),
    "lora-bits": (lambda w, b, s: w + s / b, 3, 9.1),
    "lora-gigabytes": (lambda n, b: n * 1e9 * b / 8 / 1e9, 3, 71),
    "multi-stitch": (lambda a, b, x, y: a * x + b * y, -2, 6),
    "multi-noise": (noise, 0.19, 21),
    "multi-pinball": (lambda t, y, p: t * (y - p) if y > p else (1 - t) * (p - y), 0.05, 6.4),
    "dann-reversal": (lambda g, l: -l * g, -1.6, 2.1),  # noqa: E741
    "dann-schedule": (lambda p: 2 / (1 + exp(-10 * p)) - 1, 0.2, 0.97),
    "dann-gap": (lambda a, m, o: (m - a) / (o - a), 0.1, 0.9),
    "match-loss": (lambda a, b, c, d: (c - a) ** 2 + (d - b) ** 2, 1, 51),
    "match-drift": (lambda d, w: w / d, 2, 60),
    "augment-read": (lambda c, s, t: c + t, -1.3, 1.2),
    "augment-split": (split, -1.1, 3.7),
    "augment-columns": (lambda k, w: (k + 1) * w, 1200, 180000),
    "coral-map": (lambda s1, s2, t1, t2, x, y: (s2**2) ** -0.5 * (t2**2) ** 0.5 * y, -18, 24),
    "coral-loss": (lambda a, b, c: 2 * (b - c) ** 2 / (4 * 2**2), 0.02, 2),
    "shot-prototype": (prototype, 1, 25),
    "shot-probability": (lambda d, g: exp(-d) / (exp(-d) + exp(-d - g)), 0.6, 0.96),
    "shot-root": (lambda s, t: (s / t) ** 2, 1, 256),
    "shot-guess": (lambda w, v, p, q: w * p, -4, 9),
    "sum-mcnemar": (lambda n, b, c: (b - c) ** 2 / (b + c), 0.1, 28),
    "sum-points": (lambda n, b, c: 100 * (b - c) / n, 0.05, 9),
    "read-half-point": (lambda n: 100 / n, 0.04, 1.3),
}
"""Of each family: its answer from what is drawn, and between which numbers it lies."""


def test_no_numeric_question_is_left_out():
    assert set(EXPECTED) == set(NUMERIC)
    assert set(FAMILIES) == set(DRAWN)
    assert len(DRAWN) >= 35


@pytest.mark.parametrize("name", sorted(NUMERIC))
def test_the_answer_of_the_file_is_the_one_that_is_computed(name):
    question = NUMERIC[name]
    assert question.mark(EXPECTED[name]).correct
    assert not question.mark(EXPECTED[name] * 1.2 + 0.1).correct


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_the_answers_of_a_family_are_those_computed_from_what_was_drawn(name):
    compute, low, high = FAMILIES[name]
    family, answers = DRAWN[name], set()
    for seed in SEEDS:
        asked = family.realise(seed)
        found = compute(**asked.drawn)
        assert asked.mark(found).correct, asked
        assert low <= asked.answer <= high, asked
        assert not asked.mark(asked.answer + 2 * asked.tolerance + 1e-3 * abs(asked.answer) + 1e-4).correct
        assert asked.tolerance <= 0.3 * abs(asked.answer) + 0.011, asked  # no answer is right by being small
        answers.add(round(asked.answer, 6))
        for number in asked.drawn.values():  # what is shown is what is computed with
            assert float(shown(number).replace("−", "-").replace(" ", "")) == number
        assert "{" not in asked.prompt + asked.reason
        assert not re.search(r"(?<!\w)1 (points|patients|examples|hours)\b", asked.prompt)
    assert len(answers) >= 5
