"""What each species looks like from above: body, legs, wings and markings, painted from back to front.

The proportions are those of the animals; every one varies by a fifth or so from picture to picture. Colours are chance
(see `Coat`): a species is known by its parts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tlcourse.data.insects_draw import Floats, Number, Pen

LEFT_AND_RIGHT = (1.0, -1.0)


@dataclass(frozen=True)
class Coat:
    """The colours of `n` animals, each (n, 3) RGB in [0, 1]: body, markings on it, legs, wings."""

    body: Floats
    mark: Floats
    leg: Floats
    wing: Floats
    clearness: Floats
    """(n,) how opaque a wing of gauze is, from 0 to 1."""


def legs(pen: Pen, coat: Coat, at: Sequence[float], reach: float, width: float = 0.035) -> None:
    """A pair of bent legs at each place of `at` along the body, from front to back, `reach` body lengths long."""
    for number, u in enumerate(at):
        lean = 0.9 - 1.8 * number / max(len(at) - 1, 1)  # the first pair points forwards, the last one backwards
        for side in LEFT_AND_RIGHT:
            swing = lean + pen.vary(-0.25, 0.25)
            knee_u = u + 0.5 * reach * np.sin(swing * 0.7)
            knee_v = side * 0.5 * reach * np.cos(swing * 0.7)
            foot = reach * pen.vary(0.4, 0.6)
            foot_u, foot_v = knee_u + foot * np.sin(swing * 1.3), knee_v + side * foot * np.cos(swing * 1.3)
            pen.paint(pen.stroke(u, side * 0.03, knee_u, knee_v, width), coat.leg)
            pen.paint(pen.stroke(knee_u, knee_v, foot_u, foot_v, width * 0.8), coat.leg)


def antennae(pen: Pen, coat: Coat, u: float, length: float, elbow: float = 0.0, width: float = 0.03) -> None:
    """Two antennae on a head at `u`; `elbow` is the angle at which their second half turns outwards, in radians."""
    for side in LEFT_AND_RIGHT:
        angle = pen.vary(0.3, 0.7)
        half_u = u + 0.5 * length * np.cos(angle)
        half_v = side * (0.03 + 0.5 * length * np.sin(angle))
        turned = angle + elbow
        end_u, end_v = half_u + 0.5 * length * np.cos(turned), half_v + side * 0.5 * length * np.sin(turned)
        pen.paint(pen.stroke(u, side * 0.03, half_u, half_v, width), coat.leg)
        pen.paint(pen.stroke(half_u, half_v, end_u, end_v, width), coat.leg)


def wings(pen: Pen, coat: Coat, u: float, length: float, width: float, angle: tuple[float, float]) -> None:
    """A pair of gauze wings; `angle`: the range between straight back (0) and straight out (pi/2), in radians."""
    out = pen.vary(*angle)
    long, wide = length * pen.vary(0.9, 1.1), width * pen.vary(0.85, 1.15)
    for side in LEFT_AND_RIGHT:
        middle_u, middle_v = u - 0.5 * long * np.cos(out), side * (0.04 + 0.5 * long * np.sin(out))
        cover = pen.ellipse(middle_u, middle_v, 0.5 * long, 0.5 * wide, -side * out)
        pen.paint(cover, coat.wing, coat.clearness)


def blob(pen: Pen, colour: Floats, u: float, along: float, across: float, spread: float = 0.12) -> Floats:
    """A part of the body on its axis; returns what it covers, for the markings on it."""
    along_, across_ = along * pen.vary(1 - spread, 1 + spread), across * pen.vary(1 - spread, 1 + spread)
    cover = pen.ellipse(u, 0.0, along_, across_)
    pen.paint(cover, colour)
    return cover


def bands(pen: Pen, coat: Coat, cover: Floats, at: Sequence[Number], width: float, opacity: Number = 1.0) -> None:
    """Stripes across the part that `cover` tells."""
    for u in at:
        pen.paint(cover * pen.stroke(u, -0.5, u, 0.5, width), coat.mark, opacity)


def spots(pen: Pen, coat: Coat, cover: Floats, at: Sequence[tuple[float, float]], size: float) -> None:
    """Round spots, mirrored on both sides, on the part that `cover` tells."""
    size_ = size * pen.vary(0.8, 1.25)
    for u, v in at:
        for side in LEFT_AND_RIGHT:
            pen.paint(cover * pen.ellipse(u, side * v, size_, size_), coat.mark)


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


SOURCE: dict[str, Callable[[Pen, Coat], None]] = {
    "beetle": beetle,
    "butterfly": butterfly,
    "caterpillar": caterpillar,
    "dragonfly": dragonfly,
    "fly": fly,
    "grasshopper": grasshopper,
    "ladybird": ladybird,
    "mosquito": mosquito,
    "spider": spider,
}
"""The species of the source task, in the order of its labels. Neither bees nor ants are among them."""
TARGET: dict[str, Callable[[Pen, Coat], None]] = {"ant": ant, "bee": bee}
"""The species of the target task, in the order of its labels."""
