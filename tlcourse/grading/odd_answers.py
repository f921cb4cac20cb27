"""What a submission may give, however odd: what graders and judges must be able to look at, each in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tlcourse.course.spec import Output
from tlcourse.execution import items
from tlcourse.grading.grader import Grader, filled
from tlcourse.grading.run_data import Arrays

FLOAT32 = float(np.finfo(np.float32).max)


def legal_predictions(grader: Grader, test: Arrays) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Predictions that a submission may give: of the right names, shapes and type, and finite."""
    outputs, n = grader.about.outputs, items.count(test["x"])
    rng = np.random.default_rng(1)

    def all_of(*values: float, rows: Sequence[int] | None = None) -> dict[str, Any]:
        """Each output is full of the first of the values that its dtype can hold."""
        return {
            one.name: filled(one, test, next(value for value in values if _can_hold(one, value)), rows)
            for one in outputs
        }

    def made(fill: Callable[[tuple[int, ...]], np.ndarray[Any, Any]]) -> dict[str, Any]:
        """Floats of one shape as `fill` gives them; all else is 0."""
        return all_of(0) | {
            one.name: fill((n, *one.shape)).astype(np.float32)
            for one in outputs
            if one.dtype == "float32" and not one.rows
        }

    yield "all 0", all_of(0)
    yield "all 1", all_of(1)
    for value in (1e30, -1e30, FLOAT32, -FLOAT32):
        yield f"all {value:.3g}", all_of(value, 2**62 if value > 0 else -(2**62), 255 if value > 0 else 0, 1)
    yield "3.4e+38 of either sign", made(lambda shape: np.where(rng.random(shape) < 0.5, FLOAT32, -FLOAT32))
    yield "drawn at random", made(lambda shape: rng.normal(size=shape))
    if any(one.rows and not one.rows_of for one in outputs):
        most = max(one.rows for one in outputs)
        for words, rows in (("no rows", [0] * n), ("other numbers of rows", list(range(n))), ("all rows", [most] * n)):
            yield (
                words,
                {one.name: filled(one, test, 1, [min(length, one.rows, 10_000) for length in rows]) for one in outputs},
            )
    yield (
        "the labels",
        made(lambda shape: np.zeros(shape))
        | {
            one.name: _like_labels(test, n, one.shape, grader.about.targets)
            for one in outputs
            if one.dtype == "float32" and not one.rows
        },
    )


def _can_hold(output: Output, value: float) -> bool:
    """Whether an output may hold that number."""
    limits = {"float32": (-FLOAT32, FLOAT32), "int64": (-(2**63), 2**63 - 1024), "bool": (0, 1)}
    low, high = limits.get(output.dtype, (0, 255))
    return low <= value <= high


def _like_labels(test: Arrays, n: int, shape: tuple[int, ...], targets: tuple[str, ...]) -> np.ndarray[Any, Any]:
    """A label of that shape, or a class as logits of 100 and 0; 0 where no label fits."""
    labels = (test[name] for name in targets if name in test)
    for label in (one for one in labels if isinstance(one, np.ndarray)):
        if label.shape == (n, *shape) and label.dtype.kind in "biuf":
            return np.asarray(label, np.float32)
        if label.shape == (n,) and label.dtype.kind in "iu" and len(shape) == 1:
            return np.where(np.arange(shape[0]) == (label - label.min())[:, None], np.float32(100), np.float32(0))
    return np.zeros((n, *shape), np.float32)


def odd_answers() -> list[tuple[str, Any]]:
    """Answers of functions that no right one resembles, and that may come all the same, each in words."""
    deep: list[Any] = []
    for _ in range(30):
        deep = [deep]
    return [
        *((repr(one), one) for one in (None, 0.0, -1, "x", b"x", [], (), {}, [None], {"a": None})),
        ("2**4000", 2**4000),
        ("-2**4000", -(2**4000)),
        *((repr(one), one) for one in (float("nan"), float("inf"), [float("nan")])),
        ("a list that is 30 levels deep", deep),
        ("a text of a million characters", "x" * 10**6),
        ("an array of NaN", np.full(3, np.nan)),
        ("an array of shape (0,)", np.zeros(0)),
        ("an array of shape ()", np.zeros(())),
        ("an array of int64, the largest", np.full((2, 2), 2**63 - 1)),
    ]
