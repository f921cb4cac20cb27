"""A pen that draws the same part of many animals at once: ellipses and strokes with smooth edges, in NumPy.

A part is given in the animal's own frame, in body lengths: `u` runs from the middle of the body to the head, `v` to its
left. The pen bends, turns, scales and shifts that frame for every picture, so that a species is written down only once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]
Number = np.ndarray[Any, np.dtype[np.floating[Any]]] | float
"""One value for each picture, shape (n,), or one for all of them."""

SIDE = 32
"""Pixels along a side of a picture."""


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
