"""The parts of an animal: legs, antennae, wings, pieces of the body, and the markings on them."""

from __future__ import annotations

from collections.abc import Sequence
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
