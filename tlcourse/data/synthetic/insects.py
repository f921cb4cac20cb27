"""The generator of exercise 1: one insect in a colour picture, seen from above, on a background that is never the same.

A *source* task of many species, on which the course's small ResNet was trained, and a *target* task of two others: ants
and bees. Where the animal sits, how it is rotated and bent, its size, its colours and those of the background, the
light, what lies around it and over it are random, and drawn alike for every species: only the shape of the parts tells
them apart. The proportions are those of the animals; each varies by a fifth or so from picture to picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tlcourse.data.synthetic import Arrays, Example, practice_seed
from tlcourse.data.synthetic.insect_drawing import (
    LEFT_AND_RIGHT,
    SIDE,
    Coat,
    Pen,
    antennae,
    bands,
    blob,
    legs,
    scenes,
    spots,
    wings,
)

Labels = np.ndarray[Any, np.dtype[np.int64]]
Species = dict[str, Callable[[Pen, Coat], None]]
"""Paints one animal of each species from back to front: body, legs, wings and markings, in the colours of a `Coat`."""
_CHUNK = 16  # pictures drawn at a time: they stay in the processor's cache


def make(n: int, seed: int) -> Arrays:
    """`n` pictures of the target task; the same seed gives the same bytes.

    Returns:
        x: (n, 3, 32, 32) float32 RGB in [0, 1]. label: (n,) int64, 0 ant, 1 bee; as many of each (n even).
    """
    return draw(TARGET, n, seed)


def example(number: int) -> Example:
    """One picture of the target task to look at; of each two, one is an ant and one a bee, in random order."""
    pair, place = divmod(number - 1, 2)
    made = make(2, practice_seed(pair + 1))
    picture, label = made["x"][place].transpose(1, 2, 0), int(made["label"][place])
    name = ("an ant", "a bee")[label]
    return Example(
        number=number,
        label={"label": label},
        caption=f"{name} (label {label})",
        sentence=f"{name}, seen from above, label {label}; {SIDE} by {SIDE} pixels in colour, on average "
        f"{picture.mean():.0%} of full light.",
        picture=picture,
    )


def make_source(n: int, seed: int) -> Arrays:
    """`n` pictures of the source task; `label` counts the names of `SOURCE`."""
    return draw(SOURCE, n, seed)


def draw(species: Species, n: int, seed: int) -> Arrays:
    """`n` pictures of some species, equally many of each where n allows it, in random order."""
    rng = np.random.default_rng(seed)
    label: Labels = rng.permutation(np.arange(n, dtype=np.int64) % len(species))
    x = np.empty((n, 3, SIDE, SIDE), np.float32)
    for number, paint in enumerate(species.values()):
        mine = np.flatnonzero(label == number)
        for start in range(0, len(mine), _CHUNK):
            some = mine[start : start + _CHUNK]
            x[some] = scenes(paint, len(some), rng)
    return {"x": x, "label": label}


def ant(pen: Pen, coat: Coat) -> None:
    """Gaster, a waist as thin as a thread, thorax, a big head with elbowed antennae, long legs, no wings."""
    legs(pen, coat, (0.17, 0.08, 0.0), 0.42)
    antennae(pen, coat, 0.42, 0.34, elbow=0.7)
    pen.paint(pen.stroke(-0.2, 0.0, 0.1, 0.0, 0.06), coat.body)
    gaster = blob(pen, coat.body, -0.28, 0.21, 0.14)
    bands(pen, coat, gaster, (-0.36, -0.24), 0.05, pen.vary(0.0, 0.8))
    blob(pen, coat.body, 0.1, 0.14, 0.085)
    blob(pen, coat.body, 0.36, 0.12, 0.11)


def bee(pen: Pen, coat: Coat) -> None:
    """A stout striped abdomen close to a round thorax, two pairs of gauze wings, short legs and antennae."""
    legs(pen, coat, (0.2, 0.1, 0.02), 0.32)
    antennae(pen, coat, 0.4, 0.2)
    abdomen = blob(pen, coat.body, -0.22, 0.27, 0.17)
    shift = pen.vary(-0.03, 0.03)
    bands(pen, coat, abdomen, [u + shift for u in (-0.4, -0.26, -0.12)], 0.07, pen.vary(0.2, 1.0))
    blob(pen, coat.body, 0.13, 0.14, 0.13)
    blob(pen, coat.body, 0.34, 0.09, 0.11)
    wings(pen, coat, 0.08, 0.36, 0.16, (0.4, 1.2))
    wings(pen, coat, 0.15, 0.5, 0.19, (0.5, 1.4))


def beetle(pen: Pen, coat: Coat) -> None:
    """Wing cases with a seam down the middle over most of the body, a broad neck shield, a small head."""
    legs(pen, coat, (0.18, 0.0, -0.15), 0.38, 0.05)
    antennae(pen, coat, 0.42, 0.22)
    blob(pen, coat.body, 0.4, 0.1, 0.11)
    blob(pen, coat.body, 0.25, 0.11, 0.17)
    blob(pen, coat.body, -0.14, 0.33, 0.22)
    pen.paint(pen.stroke(-0.46, 0.0, 0.15, 0.0, 0.035), coat.mark)
    pen.paint(pen.stroke(0.15, -0.16, 0.15, 0.16, 0.035), coat.mark)


def ladybird(pen: Pen, coat: Coat) -> None:
    """Nearly a circle, with a seam and round spots."""
    legs(pen, coat, (0.2, 0.03, -0.15), 0.46, 0.045)
    antennae(pen, coat, 0.42, 0.14)
    blob(pen, coat.leg, 0.36, 0.11, 0.17)
    back = blob(pen, coat.body, -0.06, 0.37, 0.33, 0.08)
    pen.paint(back * pen.stroke(-0.5, 0.0, 0.4, 0.0, 0.03), coat.mark)
    spots(pen, coat, back, ((0.12, 0.13), (-0.1, 0.2), (-0.26, 0.1)), 0.065)


def butterfly(pen: Pen, coat: Coat) -> None:
    """Two pairs of large opaque wings with spots, a thin body, long antennae."""
    antennae(pen, coat, 0.34, 0.34)
    out = pen.vary(0.85, 1.15)
    for side in LEFT_AND_RIGHT:
        hind = pen.ellipse(-0.2, side * 0.22 * out, pen.vary(0.2, 0.25), pen.vary(0.17, 0.21), side * 0.5)
        pen.paint(hind, coat.wing)
        fore = pen.ellipse(0.16, side * 0.3 * out, pen.vary(0.17, 0.21), pen.vary(0.28, 0.33), -side * 0.5)
        pen.paint(fore, coat.wing)
        spot = pen.vary(0.05, 0.08)
        pen.paint(fore * pen.ellipse(0.22, side * 0.38 * out, spot, spot), coat.mark)
        pen.paint(hind * pen.ellipse(-0.24, side * 0.28 * out, spot, spot), coat.mark)
    blob(pen, coat.body, -0.02, 0.33, 0.05)


def dragonfly(pen: Pen, coat: Coat) -> None:
    """A long thin tail, two pairs of long gauze wings held straight out, large eyes."""
    wings(pen, coat, 0.2, 0.5, 0.12, (1.35, 1.8))
    wings(pen, coat, 0.06, 0.47, 0.13, (1.1, 1.5))
    tail = blob(pen, coat.body, -0.22, 0.3, 0.04)
    bands(pen, coat, tail, (-0.4, -0.25, -0.1), 0.05, pen.vary(0.0, 1.0))
    blob(pen, coat.body, 0.15, 0.15, 0.08)
    blob(pen, coat.mark, 0.36, 0.07, 0.11)


def fly(pen: Pen, coat: Coat) -> None:
    """A short round body, one pair of gauze wings half spread, eyes that fill the head, hardly any antennae."""
    legs(pen, coat, (0.18, 0.06, -0.06), 0.44)
    abdomen = blob(pen, coat.body, -0.18, 0.22, 0.17)
    bands(pen, coat, abdomen, (-0.28, -0.16), 0.06, pen.vary(0.0, 0.8))
    blob(pen, coat.body, 0.12, 0.16, 0.15)
    blob(pen, coat.body, 0.34, 0.08, 0.15)
    for side in LEFT_AND_RIGHT:
        pen.paint(pen.ellipse(0.34, side * 0.1, 0.07, 0.07), coat.mark)
    wings(pen, coat, 0.16, 0.56, 0.22, (0.25, 0.9))


def grasshopper(pen: Pen, coat: Coat) -> None:
    """A long body with closed wings, short fore legs, and hind legs that are folded to a high knee."""
    legs(pen, coat, (0.26, 0.14), 0.24)
    antennae(pen, coat, 0.44, 0.26)
    blob(pen, coat.body, -0.08, 0.42, 0.08)
    blob(pen, coat.body, 0.26, 0.1, 0.1)
    blob(pen, coat.body, 0.42, 0.09, 0.09)
    pen.paint(pen.stroke(-0.46, 0.0, 0.15, 0.0, 0.04), coat.mark)
    for side in LEFT_AND_RIGHT:
        knee_u, knee_v = pen.vary(-0.42, -0.32), side * pen.vary(0.2, 0.28)
        pen.paint(pen.stroke(0.05, side * 0.07, knee_u, knee_v, 0.09), coat.body)
        pen.paint(pen.stroke(knee_u, knee_v, pen.vary(-0.15, 0.0), side * pen.vary(0.3, 0.38), 0.035), coat.leg)


def mosquito(pen: Pen, coat: Coat) -> None:
    """Very long thin legs, a slender banded abdomen, narrow wings, and a trunk."""
    legs(pen, coat, (0.18, 0.1, 0.02), 0.62, 0.03)
    pen.paint(pen.stroke(0.3, 0.0, 0.55, 0.0, 0.03), coat.leg)
    antennae(pen, coat, 0.3, 0.22)
    abdomen = blob(pen, coat.body, -0.2, 0.26, 0.06)
    bands(pen, coat, abdomen, (-0.36, -0.24, -0.12), 0.05, pen.vary(0.2, 1.0))
    blob(pen, coat.body, 0.12, 0.12, 0.1)
    blob(pen, coat.body, 0.28, 0.06, 0.06)
    wings(pen, coat, 0.14, 0.5, 0.11, (0.15, 0.7))


def spider(pen: Pen, coat: Coat) -> None:
    """Eight long legs round a small fore body, and a large round hind body."""
    legs(pen, coat, (0.24, 0.18, 0.12, 0.06), 0.5)
    back = blob(pen, coat.body, -0.18, 0.24, 0.19)
    spots(pen, coat, back, ((-0.12, 0.06), (-0.26, 0.05)), 0.045)
    blob(pen, coat.body, 0.15, 0.14, 0.12)


def caterpillar(pen: Pen, coat: Coat) -> None:
    """A row of round segments with stubby legs, bands, and a head like a button."""
    for u in (-0.36, -0.2, 0.0, 0.15, 0.28):
        for side in LEFT_AND_RIGHT:
            pen.paint(pen.stroke(u, side * 0.08, u, side * 0.17, 0.05), coat.leg)
    for u in (-0.4, -0.27, -0.14, -0.01, 0.12, 0.25):
        segment = blob(pen, coat.body, u, 0.09, 0.12, 0.08)
        bands(pen, coat, segment, (u,), 0.035)
    blob(pen, coat.leg, 0.38, 0.08, 0.09)


def aphid(pen: Pen, coat: Coat) -> None:
    """A body like a pear with a small head, thin legs, and two pipes near its end."""
    legs(pen, coat, (0.24, 0.12, 0.0), 0.4, 0.03)
    antennae(pen, coat, 0.38, 0.36)
    for side in LEFT_AND_RIGHT:
        pen.paint(pen.stroke(-0.28, side * 0.14, -0.5, side * pen.vary(0.16, 0.24), 0.05), coat.leg)
    blob(pen, coat.body, -0.14, 0.3, 0.25)
    blob(pen, coat.body, 0.18, 0.18, 0.15)
    blob(pen, coat.body, 0.36, 0.07, 0.09)


def cockroach(pen: Pen, coat: Coat) -> None:
    """A flat oval with a shield over its head, very long antennae, and legs that stick out behind."""
    legs(pen, coat, (0.2, 0.0, -0.2), 0.5, 0.04)
    antennae(pen, coat, 0.36, 0.62)
    blob(pen, coat.body, -0.1, 0.38, 0.19)
    shield = blob(pen, coat.body, 0.28, 0.13, 0.18)
    pen.paint(shield * pen.stroke(0.16, -0.2, 0.16, 0.2, 0.05), coat.mark)
    pen.paint(pen.stroke(0.14, 0.02, -0.45, -0.06, 0.03), coat.mark)


def earwig(pen: Pen, coat: Coat) -> None:
    """A narrow body that ends in a pair of pincers, with short wing cases."""
    legs(pen, coat, (0.24, 0.14, 0.02), 0.3)
    antennae(pen, coat, 0.42, 0.34)
    open_ = pen.vary(0.08, 0.15)
    for side in LEFT_AND_RIGHT:
        pen.paint(pen.stroke(-0.3, side * 0.04, -0.42, side * open_, 0.05), coat.leg)
        pen.paint(pen.stroke(-0.42, side * open_, -0.54, side * 0.02, 0.045), coat.leg)
    tail = blob(pen, coat.body, -0.1, 0.26, 0.085)
    bands(pen, coat, tail, (-0.26, -0.14, -0.02), 0.03, pen.vary(0.2, 1.0))
    blob(pen, coat.mark, 0.14, 0.12, 0.1)
    blob(pen, coat.body, 0.29, 0.07, 0.09)
    blob(pen, coat.body, 0.4, 0.08, 0.08)


def lacewing(pen: Pen, coat: Coat) -> None:
    """A slender body between four gauze wings, each longer than itself, and long antennae."""
    antennae(pen, coat, 0.4, 0.5)
    wings(pen, coat, 0.1, 0.72, 0.2, (0.35, 0.8))
    wings(pen, coat, 0.2, 0.78, 0.22, (0.6, 1.15))
    blob(pen, coat.body, -0.12, 0.26, 0.05)
    blob(pen, coat.body, 0.18, 0.13, 0.07)
    blob(pen, coat.body, 0.35, 0.07, 0.07)


def moth(pen: Pen, coat: Coat) -> None:
    """Opaque wings swept back to a triangle, with a band; a thick body; antennae like feathers."""
    antennae(pen, coat, 0.36, 0.26, width=0.07)
    for side in LEFT_AND_RIGHT:
        wing = pen.ellipse(-0.08, side * pen.vary(0.2, 0.25), pen.vary(0.36, 0.42), 0.17, -side * pen.vary(0.45, 0.7))
        pen.paint(wing, coat.wing)
        pen.paint(wing * pen.stroke(-0.12, side * 0.05, -0.2, side * 0.5, 0.07), coat.mark)
    blob(pen, coat.body, -0.08, 0.28, 0.1)
    blob(pen, coat.body, 0.28, 0.12, 0.11)


def pond_skater(pen: Pen, coat: Coat) -> None:
    """A body like a boat, two short arms in front, four thin legs as long as itself that hold it up."""
    for side in LEFT_AND_RIGHT:
        for u, foot in ((0.1, pen.vary(0.25, 0.5)), (-0.02, pen.vary(-0.62, -0.4))):
            knee_v = side * pen.vary(0.28, 0.38)
            knee_u = u + 0.3 * (foot - u)
            pen.paint(pen.stroke(u, side * 0.04, knee_u, knee_v, 0.035), coat.leg)
            pen.paint(pen.stroke(knee_u, knee_v, foot, side * pen.vary(0.5, 0.62), 0.03), coat.leg)
        pen.paint(pen.stroke(0.3, side * 0.04, 0.48, side * pen.vary(0.12, 0.2), 0.04), coat.leg)
    blob(pen, coat.body, -0.04, 0.4, 0.075)
    blob(pen, coat.body, 0.38, 0.07, 0.06)


def scorpion(pen: Pen, coat: Coat) -> None:
    """Two arms with claws, eight short legs, and a jointed tail that turns to one side."""
    legs(pen, coat, (0.2, 0.13, 0.06, 0.0), 0.3)
    for side in LEFT_AND_RIGHT:
        claw_u, claw_v = pen.vary(0.38, 0.48), side * pen.vary(0.18, 0.28)
        pen.paint(pen.stroke(0.24, side * 0.06, claw_u - 0.1, claw_v, 0.05), coat.leg)
        pen.paint(pen.ellipse(claw_u, claw_v, 0.11, 0.065), coat.body)
    turn = np.where(pen.rng.random(pen.n) < 0.5, 1.0, -1.0) * pen.vary(0.6, 1.4)
    for joint in range(4):
        angle = turn * joint / 3
        u, v = -0.2 - 0.11 * joint + 0.05 * joint * np.abs(turn) / 2, 0.09 * joint * np.sin(angle)
        pen.paint(pen.ellipse(u, v, 0.07, 0.055), coat.body)
    blob(pen, coat.body, 0.08, 0.22, 0.11)


def termite(pen: Pen, coat: Coat) -> None:
    """A long soft abdomen as wide as the thorax, without a waist; a round head; straight short antennae; no wings."""
    legs(pen, coat, (0.2, 0.1, 0.0), 0.26)
    antennae(pen, coat, 0.42, 0.22)
    back = blob(pen, coat.body, -0.2, 0.3, 0.13)
    bands(pen, coat, back, (-0.36, -0.26, -0.16, -0.06), 0.03, pen.vary(0.0, 0.8))
    blob(pen, coat.body, 0.12, 0.14, 0.12)
    blob(pen, coat.body, 0.34, 0.13, 0.13)


SOURCE: Species = {
    "aphid": aphid,
    "beetle": beetle,
    "butterfly": butterfly,
    "caterpillar": caterpillar,
    "cockroach": cockroach,
    "dragonfly": dragonfly,
    "earwig": earwig,
    "fly": fly,
    "grasshopper": grasshopper,
    "lacewing": lacewing,
    "ladybird": ladybird,
    "mosquito": mosquito,
    "moth": moth,
    "pond skater": pond_skater,
    "scorpion": scorpion,
    "spider": spider,
    "termite": termite,
}
"""The species of the source task, in the order of its labels. Neither bees nor ants are among them."""
TARGET: Species = {"ant": ant, "bee": bee}
"""The species of the target task, in the order of its labels."""
