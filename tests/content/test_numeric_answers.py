"""Every numeric answer of the bundled course, computed once more from what its prompt says."""

from __future__ import annotations

import math

import pytest

from tlcourse.course.loader import load_course

log, exp, sqrt = math.log, math.exp, math.sqrt
NUMERIC = {q.id: q for quiz in load_course().quizzes.values() for q in quiz.questions if q.type == "numeric"}
EXPECTED = {
    "practical-gpu-hours": 3 * 4 * 5 * 10 / 60,
    "practical-wait": 0.75 / (1 - 0.75),
    "practical-seeds": 2 * sqrt(2 / 8),
    "residual-gradient-factor": (1 + 0.1) ** 10,
    "residual-shortcut-parameters": 128 * 64,
    "residual-bottleneck": 512 * 128 + 128 * 128 * 9 + 128 * 512,
    "dense-iou": 50 / (60 + 90 - 50),
    "transfer-mixture": 0.5**2 * 6**2 / 4 + 0.5**2 * 4**2,
    "transfer-best-weight": 3**2 / (3**2 + 9),
    "covariate-new-marginal": 0.5 * 0.7 + 0.5 * 0.1,
    "covariate-label-shift-posterior": 0.6 * 0.2 / (0.6 * 0.2 + 0.1 * 0.8),
    "covariate-weight": 0.5 / 0.2,
    "covariate-effective-sample": (4 + 4) ** 2 / (4**2 + 4),
    "kinds-a-distance": 2 * (1 - 2 * 0.10),
    "watch-ppv": 0.9 * 0.1 / (0.9 * 0.1 + 0.1 * 0.9),
    "watch-odds": (odds := 0.2 / 0.8 * (0.5 / 0.5) / (0.2 / 0.8)) / (1 + odds),
    "watch-effective": 20 * 100 / (1 + 99 * 0.2),
    "tune-share": 100 * 8.39 / 11.18,
    "tune-rate": 0.02 / 2.6**2,
    "anchor-target": 0.75 * 1 + 0.25 * 0.4,
    "anchor-start": 1 - 0.3,
    "anchor-pseudo": 50 / (50 + 150),
    "bridge-lambda": 24 / 64,
    "bridge-loss": -0.25 * log(0.2) - 0.75 * log(0.7),
    "fish-square": (9 + 9 + 1 + 1) / 4,
    "fish-logistic": 0.8 * (1 - 0.8) * 2**2,
    "fish-size": 20e6 * 0.01 * 8 / 1e6,
    "adapter-count": 2 * 512 * 32 + 32 + 512,
    "adapter-parallel-share": 100 / 9,
    "adapter-tasks": 60 + 12 * 1.5,
    "lora-count": 16 * (1024 + 1024),
    "lora-scale": 16 / 8 * (0.5 * 1 + 0.25 * 2),
    "lora-bits": 4 + 32 / 64,
    "lora-gigabytes": 13e9 * 4.127 / 8 / 1e9,
    "multi-stitch": 0.9 * 3 + 0.1 * -2,
    "multi-noise": min((8 / (2 * s) + log(s) / 2, s) for s in (n / 100 for n in range(1, 3000)))[1],
    "multi-pinball": max(0.8 * (5 - 8), (0.8 - 1) * (5 - 8)),
    "dann-reversal": -0.5 * 0.8,
    "dann-schedule": 2 / (1 + exp(-10 * 0.2)) - 1,
    "dann-gap": (0.75 - 0.60) / (0.90 - 0.60),
    "match-loss": (1 - 2) ** 2 + 0 + (3 - 1) ** 2,
    "match-drift": 30 / 2,
    "augment-bag": sum("not good really not a good price".split().count(w) for w in ("good", "not", "price")),
    "augment-read": 0.4 + 0.5,
    "augment-split": min((c**2 + (2 - c) ** 2 + (1 - c) ** 2, c) for c in (n / 1000 for n in range(3000)))[1],
    "augment-columns": (4 + 1) * 5000,
    "coral-map": 1.5 * 1**-0.5 * 4**0.5,
    "coral-loss": ((1 - -1) ** 2 * 2) / (4 * 2**2),
    "shot-prototype": (3 - (0 + 2 + 4) / 3) ** 2 + (1 - (0 + 2 + 1) / 3) ** 2,
    "shot-probability": exp(-1) / (exp(-1) + exp(-2)),
    "shot-root": (2 / 0.5) ** 2,
    "shot-guess": 3 * 2 + 5 * 0,
    "sum-mcnemar": (25 - 11) ** 2 / (25 + 11),
    "sum-points": 100 * (25 - 11) / 400,
    "read-gap": (0.886 - 0.74) / (0.999 - 0.74),
    "read-half-point": 100 / 250,
}


def test_no_numeric_question_is_left_out():
    assert set(EXPECTED) == set(NUMERIC)


@pytest.mark.parametrize("name", sorted(NUMERIC))
def test_the_answer_of_the_file_is_the_one_that_is_computed(name):
    question = NUMERIC[name]
    assert question.mark(EXPECTED[name]).correct
    assert not question.mark(EXPECTED[name] * 1.2 + 0.1).correct
