"""The lecture's words as worlds that can be drawn: pairs of domains of which it is known what differs between them.

A domain is a distribution of inputs x ∈ ℝ² and of labels y ∈ {0, 1} given x. A pair is named by what its two domains
share (Pan and Yang 2010, doi:10.1109/TKDE.2009.191, section 2): which *shift* there is, and, from what is labelled and
whether the tasks agree, which *setting* of transfer learning it is. The truth is known by construction.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
Shift = Literal["none", "covariate", "label", "concept"]
Setting = Literal["inductive", "transductive", "unsupervised"]


class Domain(NamedTuple):
    """y ~ Bernoulli(`ones`), x | y ~ N(±1 along `direction` + `centre`, 1) where y comes first (label shift);
    else x ~ N(`centre`, `spread`²) and P(y = 1 | x) = σ(`sharpness` · (xᵀdirection − `offset`))."""

    y_first: bool
    centre: tuple[float, float] = (0.0, 0.0)
    spread: float = 1.0
    direction: tuple[float, float] = (1.0, 0.0)
    offset: float = 0.0
    sharpness: float = 3.0
    ones: float = 0.5

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """x (n, 2) float32, y (n,) int64."""
        way = np.asarray(self.direction)
        if self.y_first:
            y = (rng.random(n) < self.ones).astype(np.int64)
            x = np.asarray(self.centre) + (2 * y[:, None] - 1) * way + rng.standard_normal((n, 2))
        else:
            x = np.asarray(self.centre) + self.spread * rng.standard_normal((n, 2))
            y = (rng.random(n) < self.probability(x)).astype(np.int64)
        return x.astype(np.float32), y

    def probability(self, x: Array) -> Array:
        """P(y = 1 | x), (n,)."""
        along = x @ np.asarray(self.direction)
        if self.y_first:  # Bayes' rule on two normal distributions of equal spread
            centre = float(np.asarray(self.centre) @ np.asarray(self.direction))
            odds = 2 * (along - centre) + np.log(self.ones / (1 - self.ones))
        else:
            odds = self.sharpness * (along - self.offset)
        probability: Array = 1 / (1 + np.exp(-odds))
        return probability


class Pair(NamedTuple):
    """A source and a target domain, what is labelled, and what that makes them."""

    source: Domain
    target: Domain
    shift: Shift
    setting: Setting
    labelled: tuple[bool, bool]
    """Whether source and target labels may be used."""


def pair(shift: Shift, labelled: tuple[bool, bool], seed: int) -> Pair:
    """A random pair with that shift.

    The setting follows from the tasks and the labels: no labels at all is unsupervised; target labels, or tasks that
    differ, are inductive; source labels alone, and one task, are transductive.

    Raises:
        ValueError: the tasks differ (`concept`) and no target label may be used: nothing could be learnt of the target.
    """
    if shift == "concept" and labelled == (True, False):
        raise ValueError("with another task and no target label nothing can be learnt of the target")
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi)
    way = (float(np.cos(angle)), float(np.sin(angle)))
    source = Domain(y_first=shift == "label", direction=way, offset=float(rng.uniform(-0.3, 0.3)))
    return Pair(source, _moved(source, shift, rng), shift, setting_of(shift, labelled), labelled)


def setting_of(shift: Shift, labelled: tuple[bool, bool]) -> Setting:
    """Which setting of transfer learning a pair is."""
    if labelled == (False, False):
        return "unsupervised"
    return "inductive" if labelled[1] or shift == "concept" else "transductive"


def _moved(source: Domain, shift: Shift, rng: np.random.Generator) -> Domain:
    sign = -1.0 if rng.random() < 0.5 else 1.0
    if shift == "covariate":  # other inputs, the same labels for each of them
        centre = rng.normal(0, 0.5, 2) + sign * 2 * np.asarray(source.direction)
        return source._replace(centre=(float(centre[0]), float(centre[1])), spread=float(rng.uniform(0.5, 0.9)))
    if shift == "label":  # other shares of the classes, the same looks of each of them
        return source._replace(ones=0.5 + sign * float(rng.uniform(0.25, 0.4)))
    if shift == "concept":  # the same inputs, other labels for them
        turn = sign * float(rng.uniform(0.4, 0.8)) * np.pi
        (a, b), cos, sin = source.direction, np.cos(turn), np.sin(turn)
        return source._replace(direction=(float(a * cos - b * sin), float(a * sin + b * cos)))
    return source
