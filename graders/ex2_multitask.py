"""Exercise 2, the staff's side: stars are drawn from a seed, and predictions compared with their labels. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tlcourse.data.synthetic import Arrays, split_seeds, stars
from tlcourse.grading.scoring.error_analysis import ErrorAnalysis, confusion_matrix, worst_items
from tlcourse.grading.scoring.measurement import Measurement, exact, mean, proportion

Array = np.ndarray[Any, Any]

FEWEST, MOST = stars.COUNTS
LARGEST = 24.0
"""Pixels of an outer radius."""
CHANCE = 1 / (MOST - FEWEST + 1)


def make(sizes: Mapping[str, int], seed: int, variant: str) -> tuple[Arrays, Arrays, Arrays]:
    """Train, validation and test stars, independent of each other; `stars.make` says which arrays."""
    train, val, test = split_seeds(seed)
    return stars.make(sizes["train"], train), stars.make(sizes["val"], val), stars.make(sizes["test"], test)


def measure(test: Arrays, predictions: Mapping[str, Array], probes: Mapping[str, float]) -> dict[str, Measurement]:
    """Score `logits` (n, 7) and `radius` (n,) against the labels of `test`; a message tells what to do next."""
    return {
        "points_accuracy": points_accuracy(test["count"], predictions["logits"].argmax(axis=1) + FEWEST),
        "size_error": size_error(test["radius"], predictions["radius"].astype(np.float64)),
        "shared_trunk": shared_trunk(probes),
    }


def analyse_errors(val: Arrays, predictions: Mapping[str, Array]) -> ErrorAnalysis:
    """Stars that were counted wrong, those first whose radius is off too; and which count is taken for which."""
    said, radius = predictions["logits"].argmax(axis=1) + FEWEST, predictions["radius"].astype(np.float64)
    off = np.minimum(np.abs(radius - val["radius"]), LARGEST)
    return ErrorAnalysis(
        len(said),
        worst_items(
            LARGEST * np.abs(said - val["count"]) + off,
            lambda one: f"{said[one]} points, {_pixels(radius[one])}",
            lambda one: f"{val['count'][one]} points, {_pixels(val['radius'][one])}",
            val["x"],
        ),
        confusion_matrix("Points", [str(k) for k in range(FEWEST, MOST + 1)], val["count"] - FEWEST, said - FEWEST),
    )


def _pixels(radius: float) -> str:
    return f"{radius:.1f} px" if abs(radius) < 1000 else f"{radius:.1e} px"


def points_accuracy(count: Array, predicted: Array) -> Measurement:
    """The share of stars whose points are counted right; both (n,) int64, 3 to 9."""
    return proportion(int((predicted == count).sum()), len(count), _about_counts(count, predicted))


def size_error(radius: Array, predicted: Array) -> Measurement:
    """The mean absolute error of the outer radius; both (n,), in pixels."""
    return mean(np.abs(predicted - radius), _about_sizes(radius, predicted))


def shared_trunk(probes: Mapping[str, float]) -> Measurement:
    """The share of parameters that both heads use, as the worker measured it; 0 where it measured none."""
    parameters = probes.get("parameters", 0.0)
    n = int(min(parameters, 2**53)) if math.isfinite(parameters) and parameters > 0 else 0
    share = probes.get("shared_share", math.nan)
    if not math.isfinite(share):
        return exact(0.0, max(n, 1), _about_missing_share(n), self_reported=True)
    share = min(max(share, 0.0), 1.0)
    return exact(share, max(n, 1), _about_share(share, n), self_reported=True)


def _about_counts(count: Array, predicted: Array) -> str:
    said = np.unique(predicted)
    accuracy = float((predicted == count).mean())
    if len(said) == 1:
        return (
            f"Every star is said to have {said[0]} points, which is right for {accuracy:.0%}. The head for the count "
            "has learnt nothing: is its loss part of the sum, and large enough beside the other one?"
        )
    if accuracy < 2 * CHANCE:
        return (
            f"{accuracy:.0%} is about what guessing gives ({CHANCE:.0%}). Is the count part of the loss that you "
            f"minimise, does class i mean i + {FEWEST} points in it, and does it fall?"
        )
    confused = _confusions(count, predicted)
    pairs = ", ".join(f"{a} taken for {b} ({share:.0%} of the {a}-pointed)" for a, b, share in confused)
    missing = [str(k) for k in range(FEWEST, MOST + 1) if k not in said]
    never = f" Never predicted: {', '.join(missing)} points." if missing else ""
    return f"Most often confused: {pairs}.{never} {_advice_on_counts(count, predicted, accuracy)}"


def _confusions(count: Array, predicted: Array, most: int = 3) -> list[tuple[int, int, float]]:
    """The commonest mistakes: true count, predicted count, and the share of that true count to which it happens."""
    table = np.zeros((MOST + 1, MOST + 1), np.int64)
    np.add.at(table, (count, predicted), 1)
    stars_of = np.maximum(table.sum(axis=1), 1)
    np.fill_diagonal(table, 0)
    order = np.argsort(table, axis=None, kind="stable")[::-1][:most]
    cells = [np.unravel_index(flat, table.shape) for flat in order]
    return [(int(a), int(b), float(table[a, b] / stars_of[a])) for a, b in cells if table[a, b]]


def _advice_on_counts(count: Array, predicted: Array, accuracy: float) -> str:
    wrong = predicted != count
    if wrong.any() and float((np.abs(predicted - count)[wrong] == 1).mean()) > 0.7 and accuracy > 0.7:
        return "Nearly all mistakes are one point off: train longer, augment, or keep finer detail in the trunk."
    return "The trunk does not yet see the whole star: make it deeper or train it longer."


def _about_sizes(radius: Array, predicted: Array) -> str:
    guess = float(np.abs(radius - np.median(radius)).mean())
    std, bias = float(predicted.std()), float((predicted - radius).mean())
    if std < 0.05 * float(radius.std()):
        return (
            f"Every radius is predicted as about {predicted.mean():.1f} px; the true ones reach from "
            f"{radius.min():.0f} to {radius.max():.0f} px, and their median alone would be off by {guess:.1f} px. "
            "Is the radius part of the loss that you minimise?"
        )
    correlation = float(np.corrcoef(predicted, radius)[0, 1])
    says = f"Correlation with the true radius: {correlation:.3f}."
    slope = correlation * float(radius.std()) / std
    offset = float(radius.mean() - slope * predicted.mean())
    mended = float(np.abs(slope * predicted + offset - radius).mean())
    error = float(np.abs(predicted - radius).mean())
    if correlation < 0:
        return f"{says} Larger stars are predicted smaller: look for a wrong sign."
    if correlation < 0.5:
        return (
            f"{says} The head hardly follows the size: is the radius part of the loss that you minimise, in a unit in "
            "which its loss is not drowned by the other one?"
        )
    if mended < 0.5 * error and abs(slope - 1) > 0.1:
        return (
            f"{says} The unit is wrong: {slope:.3g} × prediction {offset:+.3g} would be off by {mended:.2f} px only. "
            "Undo the normalisation of the target in `forward`, so that it returns pixels."
        )
    if abs(bias) > 0.5 * error:
        way = "large" if bias > 0 else "small"
        return f"{says} Predictions are {abs(bias):.2f} px too {way} on average: look for a constant that is off."
    if correlation < 0.9:
        return f"{says} The head follows the size only loosely: train longer, or give its loss more weight."
    return f"{says} Nearly there: train longer, let the learning rate fall to zero, or give this loss more weight."


def _about_share(share: float, n: int) -> str:
    if share == 0:
        return (
            f"None of the {n:,} parameters serves both heads: these are two networks side by side, or one head does "
            "not depend on its input. Let both heads read the features of one trunk."
        )
    return (
        f"{share:.0%} of the {n:,} parameters serve both heads. Move layers from the heads into the shared trunk; "
        "a linear layer is enough for each head."
    )


def _about_missing_share(n: int) -> str:
    if n == 0:
        return "The returned module has no parameters, so nothing is shared. Return the network itself."
    return (
        "Nothing could be measured: the outputs have no gradient with respect to the parameters. "
        "Remove `torch.no_grad()` and `.detach()` from `forward`."
    )
