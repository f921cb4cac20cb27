"""Drawing insects: a pen, the parts of an animal, and the scene around it, many pictures at once, in NumPy.

A part is given in the animal's own frame, in body lengths: `u` runs from the middle of the body to the head, `v` to its
left. The pen bends, rotates, scales and shifts that frame for every picture, so that a species is written down once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]
Number = np.ndarray[Any, np.dtype[np.floating[Any]]] | float
"""One value for each picture, shape (n,), or one for all of them."""

SIDE = 32
"""Pixels along a side of a picture."""
_LENGTH = (19.0, 25.0)  # a body from head to tail, in pixels
_SHIFT = 3.0  # how far its middle lies from the picture's, at most, in pixels
_BEND = 0.5  # see Pen.pose
_CONTRAST = (0.25, 0.5)  # between the lightness of background and body; its sign is random
_HUE = 0.25  # how far a colour's channels lie from its lightness, at most
_TEXTURE = 0.1  # standard deviation of the background's texture
_CLUTTER = 5  # blades and twigs in the background, at most
_OCCLUDED = 0.3  # share of pictures in which a blade lies over the animal
_LIGHT = 0.3  # how much darker or lighter than the middle a side of the picture may be
_NOISE = (0.02, 0.08)  # standard deviation of the noise of a pixel


class Pen:
    """Paints on `n` pictures at a time.

    Attributes:
        picture: (n, 3, 32, 32) float32, what has been painted so far. rng: where every chance comes from.
        u, v: (n, 32, 32) float32, each pixel's centre in the animal's frame, in body lengths. length: (n,) pixels.
    """

    def __init__(self, picture: Floats, rng: np.random.Generator) -> None:
        self.picture = picture
        self.rng = rng
        self.n = len(picture)
        self.length: Floats = np.ones(self.n, np.float32)
        grid = np.arange(SIDE, dtype=np.float32) + np.float32(0.5 - SIDE / 2)
        self.u: Floats = np.broadcast_to(grid[None, None, :], (self.n, SIDE, SIDE))
        self.v: Floats = np.broadcast_to(grid[None, :, None], (self.n, SIDE, SIDE))

    def vary(self, low: Number, high: Number) -> Floats:
        """(n,) numbers between `low` and `high`, a new one for each picture."""
        return (low + (high - low) * self.rng.random(self.n)).astype(np.float32)

    def pose(self, x: Number, y: Number, angle: Floats, length: Floats, bend: Floats) -> None:
        """Move into the frame of an animal at (x, y) pixels from the middle, its head towards `angle` radians.

        `bend`: how far head and tail lie beside the axis, in quarters of a body length.
        """
        dx = self.u - column(x)
        dy = self.v - column(y)
        cos, sin = column(np.cos(angle) / length), column(np.sin(angle) / length)
        self.u = dx * cos + dy * sin
        self.v = dy * cos - dx * sin
        self.v -= column(bend) * self.u * self.u
        self.length = length

    def ellipse(self, u: Number, v: Number, along: Number, across: Number, angle: Number = 0.0) -> Floats:
        """How much of each pixel an ellipse covers, (n, 32, 32). `along`, `across`: half axes; `angle`: of one."""
        p, q = self.u - column(u), self.v - column(v)
        if not (isinstance(angle, float) and angle == 0):
            cos, sin = column(np.cos(angle)), column(np.sin(angle))
            p, q = p * cos + q * sin, q * cos - p * sin
        p /= column(along)
        q /= column(across)
        level = p * p + q * q
        # first-order distance to the edge: (level - 1) over the length of level's gradient
        p /= column(along)
        q /= column(across)
        slope = np.sqrt(p * p + q * q)
        slope += np.float32(1e-6)
        return self._smooth((level - 1) / (2 * slope))

    def stroke(self, u0: Number, v0: Number, u1: Number, v1: Number, width: Number) -> Floats:
        """How much of each pixel a stroke with round ends covers: (n, 32, 32). `width` in body lengths."""
        du, dv = column(np.subtract(u1, u0)), column(np.subtract(v1, v0))
        p, q = self.u - column(u0), self.v - column(v0)
        share = (p * du + q * dv) / (du * du + dv * dv + np.float32(1e-6))
        np.clip(share, 0, 1, out=share)
        p -= share * du
        q -= share * dv
        return self._smooth(np.sqrt(p * p + q * q) - column(width) / 2)

    def paint(self, cover: Floats, colour: Floats, opacity: Number = 1.0) -> None:
        """Lay `colour`, (n, 3), over the pictures where `cover`, (n, 32, 32), says so."""
        weight = (cover * column(opacity))[:, None]
        self.picture += weight * (colour[:, :, None, None] - self.picture)

    def _smooth(self, distance: Floats) -> Floats:
        """From signed distances in body lengths to covered shares of a pixel."""
        pixels = distance * column(self.length)
        covered: Floats = np.clip(np.float32(0.5) - pixels, 0, 1)
        return covered


def column(value: Number) -> Floats:
    """(n,) as (n, 1, 1), beside pictures; a single number stays one."""
    array = np.asarray(value, np.float32)
    return array[:, None, None] if array.ndim else array


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
        bent = angle + elbow
        end_u, end_v = half_u + 0.5 * length * np.cos(bent), half_v + side * 0.5 * length * np.sin(bent)
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


def blob(pen: Pen, colour: Floats, u: float, along: float, across: float, vary: float = 0.12) -> Floats:
    """A part of the body on its axis; returns what it covers, for the markings on it."""
    along_, across_ = along * pen.vary(1 - vary, 1 + vary), across * pen.vary(1 - vary, 1 + vary)
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


def scenes(paint: Callable[[Pen, Coat], None], n: int, rng: np.random.Generator) -> Floats:
    """`n` pictures of one species: background, animal, what lies over it, light and noise, (n, 3, 32, 32)."""
    pen = Pen(np.empty((n, 3, SIDE, SIDE), np.float32), rng)
    lightness = pen.vary(0.2, 0.8)
    background(pen, lightness)
    pen_of_background = Pen(pen.picture, rng)
    pen.pose(
        x=pen.vary(-_SHIFT, _SHIFT),
        y=pen.vary(-_SHIFT, _SHIFT),
        angle=pen.vary(0, 2 * np.pi),
        length=pen.vary(*_LENGTH),
        bend=pen.vary(-_BEND, _BEND),
    )
    paint(pen, coat(pen, lightness))
    blades(pen_of_background, lightness, most=1, share=_OCCLUDED, width=(1.5, 3.5), through=8.0)
    return finish(pen_of_background)


def coat(pen: Pen, background: Floats) -> Coat:
    """Colours for `n` animals on backgrounds of the given lightness, (n,): chance but for their contrast."""
    sign = np.where(pen.rng.random(pen.n) < 0.5, 1.0, -1.0)
    sign = np.where(background < 0.35, 1.0, np.where(background > 0.65, -1.0, sign))
    body = background + sign * pen.vary(*_CONTRAST)
    away = np.where(body > 0.5, -1.0, 1.0)
    return Coat(
        body=colours(pen, body),
        mark=colours(pen, body + away * pen.vary(0.2, 0.45)),
        leg=colours(pen, body + pen.vary(-0.15, 0.15)),
        wing=colours(pen, background + np.where(pen.rng.random(pen.n) < 0.5, 1.0, -1.0) * pen.vary(0.2, 0.45)),
        clearness=pen.vary(0.5, 0.9),
    )


def colours(pen: Pen, lightness: np.ndarray[Any, np.dtype[np.floating[Any]]]) -> Floats:
    """(n, 3) random colours of about the given lightness, (n,)."""
    hue = pen.rng.uniform(-_HUE, _HUE, (pen.n, 3)).astype(np.float32)
    hue -= hue.mean(axis=1, keepdims=True)
    mixed: Floats = np.clip(lightness[:, None] + hue, 0, 1).astype(np.float32)
    return mixed


def background(pen: Pen, lightness: Floats) -> None:
    """Fill the pictures with a textured background with blades and twigs."""
    pen.picture[:] = colours(pen, lightness)[:, :, None, None]
    for cells in (4, 8, 16):
        coarse = pen.rng.standard_normal((pen.n, 1, cells, cells), dtype=np.float32)
        strength = pen.vary(0.2, 1.0) * np.float32(_TEXTURE / np.sqrt(2))
        pen.picture += enlarge(coarse, SIDE // cells) * strength[:, None, None, None]
    blades(pen, lightness, most=_CLUTTER, share=0.5, width=(0.7, 2.0), through=20.0)


def enlarge(coarse: Floats, times: int) -> Floats:
    """(n, 1, k, k) to (n, 1, k·times, k·times), linear between the cells."""
    k = coarse.shape[2]
    at = np.clip((np.arange(k * times, dtype=np.float32) + np.float32(0.5)) / times - np.float32(0.5), 0, k - 1)
    low = np.minimum(at.astype(np.int64), k - 2)
    share = (at - low).astype(np.float32)
    rows = coarse[:, :, low] * (1 - share)[:, None] + coarse[:, :, low + 1] * share[:, None]
    both: Floats = rows[..., low] * (1 - share) + rows[..., low + 1] * share
    return both


def blades(pen: Pen, lightness: Floats, *, most: int, share: float, width: tuple[float, float], through: float) -> None:
    """Up to `most` long strokes, each there in a `share` of the pictures, within `through` pixels of the middle."""
    for _ in range(most):
        angle = pen.vary(0, np.pi)
        off = pen.vary(-through, through)
        u, v = -np.sin(angle) * off, np.cos(angle) * off
        half = pen.vary(8, 30)
        du, dv = np.cos(angle) * half, np.sin(angle) * half
        cover = pen.stroke(u - du, v - dv, u + du, v + dv, pen.vary(*width))
        colour = colours(pen, lightness + pen.vary(-0.3, 0.3))
        pen.paint(cover, colour, (pen.rng.random(pen.n) < share).astype(np.float32))


def finish(pen: Pen) -> Floats:
    """Light from one side, and the noise of a camera; the pictures, within [0, 1]."""
    angle = pen.vary(0, 2 * np.pi)
    slope = pen.vary(0, _LIGHT) / (SIDE / 2)
    light = 1 + (pen.u * np.cos(angle)[:, None, None] + pen.v * np.sin(angle)[:, None, None]) * slope[:, None, None]
    pen.picture *= light[:, None].astype(np.float32)
    noise = pen.rng.standard_normal(pen.picture.shape, dtype=np.float32)
    pen.picture += noise * pen.vary(*_NOISE)[:, None, None, None]
    finished: Floats = np.clip(pen.picture, 0, 1, out=pen.picture)
    return finished
