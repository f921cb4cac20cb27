"""Measurements that exercise.yaml names in the place of a grader's `measure`: `metric: accuracy`, and errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tlcourse.course.check_rule import CheckRule
from tlcourse.course.model import Exercise
from tlcourse.grading.scoring.measurement import LARGEST, Measurement, mean, proportion

Array = np.ndarray[Any, Any]


class MetricError(ValueError):
    """What a check names cannot be measured; the message goes on after the check's name."""


def measured(
    about: Exercise, rule: CheckRule, test: Mapping[str, Any], given: Mapping[str, Any], *, fresh: bool
) -> Measurement:
    """What `rule.metric` says of predictions `given`, beside the labels of `test`. Raises MetricError.

    Args:
        about: Says which target, output and column there are.
        rule: Of a check with a metric.
        test: Labels by name, shape (n, …).
        given: Predictions by the name of their output or column, shape (n, …); of classes logits (n, …, classes), or
            the classes themselves.
        fresh: Whether every seed has other items.
    """
    truth, guess = _both(about, rule, test, given)
    if rule.metric == "cross_entropy":
        return mean(_cross_entropy(guess, truth), fresh=fresh)
    if guess.ndim == truth.ndim + 1:
        guess = guess.argmax(-1)
    if guess.shape != truth.shape:
        raise MetricError(f"has predictions of shape {guess.shape}, expected {truth.shape}, or logits of classes")
    if rule.metric == "accuracy":
        text = truth.dtype.kind == "U" or guess.dtype.kind == "U"
        right = np.asarray(guess == truth if text else np.abs(guess.astype(np.float64) - truth) <= rule.tolerance)
        whole = right.reshape(right.shape[0], -1).all(1)
        return proportion(int(whole.sum()), whole.size, fresh=fresh)
    miss = np.abs(guess.astype(np.float64) - truth)
    each = (miss if rule.metric == "absolute_error" else miss**2).reshape(len(miss), -1).mean(1)
    return mean(np.minimum(each, LARGEST / 1e20), fresh=fresh)


def _both(about: Exercise, rule: CheckRule, test: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[Array, Array]:
    """The labels that a check is about, and the predictions of them."""
    of_model = about.model is not None and rule.part == about.model.id
    names = list(about.targets) if of_model else [name for name in given if name in test]
    name = rule.of or (names[0] if len(names) == 1 else "")
    if not name or name not in test or (of_model and name not in names):
        raise MetricError(
            f"is measured of {name or 'nothing'}, expected `of:` with one of: {', '.join(names) or 'none'}"
        )
    guess = name
    if of_model:
        outputs = [one.name for one in about.outputs]
        guess = outputs[min(names.index(name), len(outputs) - 1)]
    truth, found = test[name], given.get(guess)
    if not isinstance(truth, np.ndarray) or not isinstance(found, np.ndarray):
        raise MetricError("is measured of items of different lengths, expected a `measure` of the grader's")
    return truth, found


def _cross_entropy(logits: Array, truth: Array) -> Array:
    """Nats of an item, a mean over its places; of logits (n, …, classes) and classes (n, …)."""
    classes = logits.shape[-1] if logits.ndim else 0
    if logits.shape[:-1] != truth.shape or truth.dtype.kind not in "iu" or truth.min() < 0 or truth.max() >= classes:
        raise MetricError(f"has logits of shape {logits.shape}, expected {(*truth.shape, 'classes')}")
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    lost = -np.take_along_axis(log_p, truth[..., None].astype(np.int64), -1)[..., 0]
    return np.asarray(lost.reshape(len(lost), -1).mean(1))
