"""The generator of exercise 3: four numbers to be predicted from eight, each with a distribution of another shape.

Every seed makes another problem: three hidden directions of the input, rotated and shifted at random, drive the centre
and the width of all four distributions. That is what a shared trunk can learn once. Since the problem itself is random,
code that knows this file knows the family of the distributions, and not the ones that it is tested on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlcourse.data.synthetic import Arrays, Distribution, Example, derived_seed, practice_seed, split_seeds
from tlcourse.data.synthetic.conditionals import Array, Conditional, Gaussian, HeavyTailed, Skewed, TwoHumped

TASKS = ("gaussian", "skewed", "heavy-tailed", "two-humped")
"""The tasks in the order of `y`, named after the shape of their distributions."""
TAUS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
"""The levels of the quantiles to be predicted."""
INPUTS = 8
BOX = 1.0
"""Inputs are uniform in [−BOX, BOX] in each of the eight dimensions."""

_HIDDEN = 3
_BEND = 3.0  # radians for a step of 1 along a hidden direction: about one full wave within the box
_WIDTHS = (0.35, 0.3, 0.2, 0.15)  # typical width of each task's distribution
_CHANGE = 0.8  # e-folds by which a width departs from the typical one
_APART = 0.6  # half the distance between the two humps
_SEEN = np.array([0.02, 0.98])  # what is drawn of a distribution for people
_STEPS = 241
_LEFT = 0.15  # the share of the left hump lies between 0.5 − this and 0.5 + this: only the median changes humps


@dataclass(frozen=True)
class Problem:
    """The distributions that one seed decides.

    Attributes:
        directions: (3, 8) hidden directions of the input, orthonormal. shifts: (3,) in radians.
        centres, widths: (4, 3) how each task's centre and width depend on the hidden features; rows have length 1.
        humps: (3,) the same for the share of the left hump.
    """

    directions: Array
    shifts: Array
    centres: Array
    widths: Array
    humps: Array


def draw_problem(seed: int) -> Problem:
    """The problem of a seed."""
    rng = np.random.default_rng(derived_seed(seed, "problem"))
    return Problem(
        directions=_orthonormal(rng, INPUTS)[:_HIDDEN],
        shifts=rng.uniform(0, 2 * np.pi, _HIDDEN),
        centres=_directions(rng, len(TASKS)),
        widths=_directions(rng, len(TASKS)),
        humps=_directions(rng, 1)[0],
    )


def conditionals(problem: Problem, x: np.ndarray[Any, Any]) -> list[Conditional]:
    """The distribution of each task given inputs (n, 8), in the order of TASKS."""
    hidden = np.sin(_BEND * x.astype(np.float64) @ problem.directions.T + problem.shifts)  # (n, 3)
    centre = hidden @ problem.centres.T  # (n, 4)
    width = np.array(_WIDTHS) * np.exp(_CHANGE * hidden @ problem.widths.T)
    left = 0.5 + _LEFT * np.tanh(2 * hidden @ problem.humps)
    return [
        Gaussian(centre[:, 0], width[:, 0]),
        Skewed(centre[:, 1], width[:, 1]),
        HeavyTailed(centre[:, 2], width[:, 2]),
        TwoHumped(centre[:, 3], width[:, 3], np.full(len(x), _APART), left),
    ]


def train_and_val(sizes: Mapping[str, int], seed: int) -> tuple[Arrays, Arrays]:
    """Training and validation data of the problem of `seed`, independent of each other; see `sample` for the arrays."""
    problem, (train, val, _) = draw_problem(seed), split_seeds(seed)
    return sample(problem, sizes["train"], train), sample(problem, sizes["val"], val)


def sample(problem: Problem, n: int, seed: int) -> Arrays:
    """`n` items of a problem; the same problem and seed give the same bytes.

    Returns:
        x: (n, 8) float32 in [−1, 1]. y: (n, 4) float32, one drawn number a task.
    """
    rng = np.random.default_rng(seed)
    x = inputs(n, rng)
    y = np.stack([given.draw(rng) for given in conditionals(problem, x)], axis=1)
    return {"x": x, "y": y.astype(np.float32)}


def example(number: int) -> Example:
    """One input to look at, with the distributions behind its four numbers; all examples are of one problem."""
    rng = np.random.default_rng(practice_seed(number))
    x = inputs(1, rng)
    given = conditionals(draw_problem(practice_seed(0)), x)
    true = [one.quantiles(TAUS)[0] for one in given]
    drawn = [float(one.draw(rng)[0]) for one in given]
    y = _axis(given)
    found = [
        Distribution(name, y, one.cdf(y[None])[0], tuple(TAUS.tolist()), tuple(q.tolist()), value)
        for name, one, q, value in zip(TASKS, given, true, drawn, strict=True)
    ]
    return Example(
        number=number,
        label={"y": [round(value, 3) for value in drawn]},
        caption=f"x = {', '.join(f'{value:.1f}' for value in x[0])}",
        sentence=" ".join(_in_words(one) for one in found),
        inputs=[round(float(value), 4) for value in x[0]],
        distributions=found,
    )


def _axis(given: list[Conditional]) -> Array:
    """Where all four can be seen, but for the far ends of their tails."""
    ends = np.concatenate([one.quantiles(_SEEN)[0] for one in given])
    return np.linspace(ends.min(), ends.max(), _STEPS)


def _in_words(one: Distribution) -> str:
    at = dict(zip(one.levels, one.quantiles, strict=True))
    return (
        f"{one.name}: median {at[0.5]:.2f}, half between {at[0.25]:.2f} and {at[0.75]:.2f}, "
        f"90 % between {at[0.05]:.2f} and {at[0.95]:.2f}, drawn {one.drawn:.2f}."
    )


def inputs(n: int, rng: np.random.Generator, box: float = BOX) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(n, 8) float32, uniform in [−box, box]."""
    return rng.uniform(-box, box, (n, INPUTS)).astype(np.float32)


def _orthonormal(rng: np.random.Generator, n: int) -> Array:
    """A random rotation (n, n): the Q of a normal matrix, with the signs that make it uniform (Mezzadri 2007)."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    rotation: Array = q * np.sign(np.diag(r))
    return rotation


def _directions(rng: np.random.Generator, n: int) -> Array:
    """`n` random directions among the hidden features, (n, 3)."""
    rows = rng.standard_normal((n, _HIDDEN))
    unit: Array = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
