"""Exercise 3, the staff's side: quantiles are scored against the distributions themselves, not against drawn targets.

The test inputs come with the problem of their seed, so that the loss of a prediction, the lowest loss there is, and the
coverage of an interval are known for every input. What is left of chance is which inputs were drawn. NumPy only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from tlcourse.data.synthetic import Arrays, conditionals, quantiles, split_seeds
from tlcourse.data.synthetic.conditionals import Conditional
from tlcourse.data.synthetic.quantiles import TASKS, TAUS, Problem
from tlcourse.grading.scoring.error_analysis import ErrorAnalysis, calibration
from tlcourse.grading.scoring.measurement import Measurement, exact, mean

Array = np.ndarray[Any, Any]

WIDE = 1.5
"""Quantiles must not cross in a box this much wider than that of the training inputs, either."""
CROSSED = 1e-5
"""A quantile that lies below the one before it by more than this has crossed it; less is rounding."""
INTERVALS = ((2, 4, 0.5), (1, 5, 0.8), (0, 6, 0.9))
"""Indices into TAUS of the ends of each interval, and what it should cover."""
GROUPS = 4
"""All inputs, and three thirds of them."""
OBSERVED = 1000
"""The binomial interval is that of so many observed targets: as many as a student has for validation."""
LOOKS = len(TASKS) * len(INTERVALS) * GROUPS
Z = NormalDist().inv_cdf(1 - 0.01 / (2 * LOOKS))
"""Half-width of the binomial interval in standard errors: the right quantiles leave none of 48 with 99 %."""


class Known(NamedTuple):
    """What is known of a task: its distributions, their quantiles (n, 7), and the lowest losses (n, 7)."""

    given: Conditional
    true: Array
    lowest: Array


def make(sizes: Mapping[str, int], seed: int, variant: str) -> tuple[Arrays, Arrays, Arrays]:
    """Training and validation items of the problem of `seed`; test inputs without targets, and the problem itself.

    test: x (n + n/2, 8) float32, of which the last third comes from the wider box; inside (n + n/2,) bool; the Problem.
    """
    problem = quantiles.draw_problem(seed)
    train, val = quantiles.train_and_val(sizes, seed)
    rng = np.random.default_rng(split_seeds(seed)[2])
    n = sizes["test"]
    x = [quantiles.inputs(n, rng), quantiles.inputs(n // 2, rng, WIDE * quantiles.BOX)]
    inside = np.arange(n + n // 2) < n
    return train, val, {"x": np.concatenate(x), "inside": inside, **vars(problem)}


def measure(test: Arrays, predictions: Mapping[str, Array], probes: Mapping[str, float]) -> dict[str, Measurement]:
    """Score `quantiles` (n, 4, 7) against `test`'s problem; a message tells which task, by how much, what to do."""
    problem = Problem(**{name: test[name] for name in Problem.__dataclass_fields__})
    everywhere = predictions["quantiles"].astype(np.float64)
    predicted = everywhere[test["inside"]]
    given = quantiles.conditionals(problem, test["x"][test["inside"]])
    known = [known_of(one) for one in given]
    found = {name.replace("-", "_"): excess_loss(known, predicted, task) for task, name in enumerate(TASKS)}
    found["coverage"] = coverage(given, predicted)
    found["crossing"] = crossing(everywhere, test["inside"])
    found["shared_trunk"] = shared_trunk(probes)
    return found


def analyse_errors(val: Arrays, predictions: Mapping[str, Array]) -> ErrorAnalysis:
    """Of each task, how many of the observed targets lie below each predicted level."""
    quantiles_, y = predictions["quantiles"], val["y"]
    return ErrorAnalysis(
        len(y),
        calibration=[
            calibration(name, TAUS.tolist(), quantiles_[:, task], y[:, task]) for task, name in enumerate(TASKS)
        ],
    )


def known_of(given: Conditional) -> Known:
    """The quantiles of a task's distributions, and the losses that no prediction falls below."""
    true = given.quantiles(TAUS)
    return Known(given, true, conditionals.pinball(given, true, TAUS))


def excess_loss(known: list[Known], predicted: Array, task: int) -> Measurement:
    """ΣL/ΣL* − 1 of a task: by how much its expected pinball loss lies above the lowest one; predicted (n, 4, 7)."""
    loss = conditionals.pinball(known[task].given, predicted[:, task], TAUS)  # (n, 7)
    lowest = known[task].lowest
    ratio = float(loss.sum() / lowest.sum())
    # one value an input, linear around the ratio, so that their mean is the excess and their std its standard error
    values = ratio - 1 + (loss.mean(1) - ratio * lowest.mean(1)) / lowest.mean()
    return mean(values, _about_loss(known, predicted[:, task], task, loss))


def coverage(given: list[Conditional], predicted: Array) -> Measurement:
    """The worst coverage of an interval: its distance from what it should be, in half-widths of a binomial interval.

    Looked at for each task and interval on all inputs, and on the thirds where the task's width is smallest, middling
    and largest. The binomial interval is what chance would explain, had the share been counted on 1000 observed
    targets, or on a third of them: 99 % for all of these looks together. The coverage itself is computed from the
    distributions, without any targets.
    """
    worst = None
    for task, name in enumerate(TASKS):
        for where, chosen, observed in _groups(given[task]):
            for low, high, wanted in INTERVALS:
                ends = predicted[chosen, task, low], predicted[chosen, task, high]
                covered = conditionals.coverage(_chosen(given[task], chosen), *ends)
                allowed = Z * math.sqrt(wanted * (1 - wanted) / observed)
                values = (covered - wanted) / allowed * (1 if covered.mean() >= wanted else -1)
                if worst is None or values.mean() > worst[0].mean():
                    worst = values, _about_coverage(name, where, wanted, float(covered.mean()), allowed)
    assert worst is not None
    return mean(*worst)


def crossing(predicted: Array, inside: Array) -> Measurement:
    """The share of (input, task) pairs whose quantiles are out of order; predicted (n, 4, 7)."""
    drops = -np.diff(predicted, axis=2)  # positive where a quantile lies below the one before it
    crossed = (drops > CROSSED).any(axis=2)  # (n, 4)
    return exact(float(crossed.mean()), crossed.size, _about_crossing(drops, crossed, inside))


def shared_trunk(probes: Mapping[str, float]) -> Measurement:
    """The share of the parameters that serve all four tasks, as the worker measured it; 0 where it measured none."""
    parameters, share = probes.get("parameters", 0.0), probes.get("shared_share", math.nan)
    n = int(min(parameters, 2**53)) if math.isfinite(parameters) and parameters > 0 else 0
    if not math.isfinite(share):
        return exact(
            0.0,
            max(n, 1),
            "Nothing could be measured: the module has no parameters, or its outputs have no gradient with respect to "
            "them. Return the network itself, without `torch.no_grad()` or `.detach()` in `forward`.",
            self_reported=True,
        )
    share = min(max(share, 0.0), 1.0)
    if share < 0.01:
        message = (
            f"Hardly any of the {n:,} parameters serves all four tasks ({share:.1%}): these are networks side by side, "
            "or outputs that do not depend on the input. Let all heads read the features of one trunk."
        )
    else:
        message = (
            f"{share:.0%} of the {n:,} parameters serve all four tasks. Move layers from the heads into the trunk: "
            "one linear layer is enough for each head."
        )
    return exact(share, max(n, 1), message, self_reported=True)


def _groups(given: Conditional) -> list[tuple[str, Array, float]]:
    """Where coverage is looked at: in words, which inputs, and on how many observed targets it would be counted."""
    width = given.width  # type: ignore[attr-defined]
    order = np.argsort(width, kind="stable")
    everywhere = ("", np.arange(len(width)), float(OBSERVED))
    words = ("narrowest", "middle", "widest")
    thirds = zip(words, np.array_split(order, 3), strict=True)
    return [everywhere, *((f" on the third of inputs where it is {word}", part, OBSERVED / 3) for word, part in thirds)]


def _chosen(given: Conditional, indices: Array) -> Conditional:
    return type(given)(**{name: values[indices] for name, values in vars(given).items()})


# -- what the messages say ---------------------------------------------------------------------------------------------


def _about_loss(known: list[Known], q: Array, task: int, loss: Array) -> str:
    head = f"{TASKS[task]}: {loss.sum() / known[task].lowest.sum() - 1:.1%} above the lowest possible loss."
    return f"{head} {_cause(known, q, task, float(loss.mean()))}"


def _cause(known: list[Known], q: Array, task: int, loss: float) -> str:
    """The likeliest of the usual mistakes; q is (n, 7)."""
    given, true = known[task].given, known[task].true
    excess = [float(conditionals.pinball(one.given, q, TAUS).mean() / one.lowest.mean()) - 1 for one in known]
    best = int(np.argmin(excess))
    if best != task and excess[best] < 0.25 * excess[task] and excess[best] < 0.2:
        return (
            f"These quantiles fit the task `{TASKS[best]}`, by {excess[best]:.1%}: are the heads in the order "
            f"{', '.join(TASKS)}?"
        )
    if float(conditionals.pinball(given, q[:, ::-1], TAUS).mean()) < 0.7 * loss:
        return "With the levels in reverse order they would fit better: the first is 0.05, the last 0.95."
    width, true_width = q[:, -1] - q[:, 0], true[:, -1] - true[:, 0]
    if float(np.abs(width).mean()) < 0.1 * float(true_width.mean()):
        return (
            "All seven levels are about the same number. Squared error teaches the mean, absolute error the median: "
            "each level needs the pinball loss of its own τ."
        )
    if float(q.std(axis=0).max()) < 0.05 * float(true[:, 3].std()):
        return "The quantiles hardly depend on the input: these are the quantiles of all y taken together."
    if float(width.std()) < 0.05 * float(true_width.std()):
        return (
            f"The interval from 0.05 to 0.95 is {width.mean():.2f} wide everywhere; the true one reaches from "
            f"{true_width.min():.2f} to {true_width.max():.2f}. Let every quantile depend on the input."
        )
    return _worst_level(known[task], q)


def _worst_level(known: Known, q: Array) -> str:
    lost = (conditionals.pinball(known.given, q, TAUS) - known.lowest).mean(axis=0)
    level = int(np.argmax(lost))
    share, below = float(lost[level] / lost.sum()), float(known.given.cdf(q)[:, level].mean())
    text = (
        f"The level {TAUS[level]:g} costs most ({share:.0%} of the excess): {below:.1%} of the values lie below it, "
        f"{TAUS[level]:.0%} should."
    )
    if abs(below - TAUS[level]) > 0.03:
        return f"{text} It is too {'high' if below > TAUS[level] else 'low'} on the whole."
    return (
        f"{text} So it is right on the whole, and wrong at many inputs: if the training loss is much lower than that "
        "of `task.val`, the network overfits; else it is too small, or not trained long enough."
    )


def _about_coverage(name: str, where: str, wanted: float, covered: float, allowed: float) -> str:
    low, high = (1 - wanted) / 2, (1 + wanted) / 2
    if covered < 0:
        return (
            f"{name}: the quantile {high:.3g} lies below the quantile {low:.3g}{where}; give the network's levels in "
            "ascending order, or outputs that cannot cross."
        )
    advice = (
        "it is too wide there."
        if covered > wanted
        else "it is too narrow there. A network that overfits is too sure of itself; one whose width does not depend "
        "on the input is so where the noise is large."
    )
    return (
        f"{name}: the interval from {low:.3g} to {high:.3g} covers {covered:.1%}{where}, {wanted - allowed:.1%} to "
        f"{min(wanted + allowed, 1):.1%} are allowed; {advice}"
    )


def _about_crossing(drops: Array, crossed: Array, inside: Array) -> str:
    if not crossed.any():
        return ""
    shares = crossed.mean(axis=0)
    task = int(np.argmax(shares))
    level = int(np.argmax((drops[:, task] > CROSSED).mean(axis=0)))
    return (
        f"{TASKS[task]}: the quantiles cross at {shares[task]:.1%} of the inputs (inside the training box "
        f"{crossed[inside, task].mean():.1%}, in the box 1.5 times as wide {crossed[~inside, task].mean():.1%}); most "
        f"often {TAUS[level + 1]:g} lies below {TAUS[level]:g}. Predict one level, and non-negative steps from it: "
        "softplus, then cumsum."
    )
