"""The generator of exercise 2: one star in a grey picture, to be counted and measured.

Everything about a star but its label is a nuisance: where it stands, how it is rotated, how deep its notches are,
whether it is lighter or darker than the background, and how noisy the picture is. Random polarity alone makes the mean
picture of every class the same flat grey, so that no linear model can do more than guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlcourse.data.synthetic import Arrays, Example, practice_seed

Floats = np.ndarray[Any, np.dtype[np.float32]]
Counts = np.ndarray[Any, np.dtype[np.int64]]

SIDE = 64
"""Pixels along a side of a picture."""
COUNTS = (3, 9)
"""The fewest and the most points of a star, both included."""
RADII = (10.0, 24.0)
"""The smallest and the largest outer radius in pixels."""

_MARGIN = 1.0  # pixels between a star's circumscribed circle and the picture's border
_NOTCH = (0.45, 0.8)  # inner radius as a share of that at which the star would be a regular polygon
_CONTRAST = (0.3, 0.6)  # absolute difference between star and background; its sign is random
_GREY = (0.1, 0.9)  # star and background both lie in this range
_NOISE = (0.02, 0.08)  # standard deviation of the noise of a pixel
_CHUNK = 8  # pictures drawn at a time: what stays in the processor's cache is drawn twice as fast


@dataclass(frozen=True)
class Stars:
    """What `n` stars look like, before they are drawn; every array has shape (n,).

    Attributes:
        count: points, int64. radius: centre to tip, in pixels. inner: centre to notch, in pixels.
        x, y: the centre in pixels; the picture's upper left corner is (0, 0), the centre of its first pixel (0.5, 0.5).
        angle: direction of one tip in radians.
        background, contrast: grey levels; the star itself has the level `background + contrast`.
        noise: standard deviation of every pixel's noise.
    """

    count: Counts
    radius: Floats
    inner: Floats
    x: Floats
    y: Floats
    angle: Floats
    background: Floats
    contrast: Floats
    noise: Floats

    def __len__(self) -> int:
        return len(self.count)

    def chunks(self, size: int) -> Iterator[Stars]:
        """The same stars, at most `size` at a time."""
        for start in range(0, len(self), size):
            yield Stars(**{name: values[start : start + size] for name, values in vars(self).items()})


def make(n: int, seed: int) -> Arrays:
    """`n` noisy pictures with both labels; the same seed gives the same bytes.

    Returns:
        x: (n, 1, 64, 64) float32 grey levels in [0, 1]. count: (n,) int64 points, 3 to 9.
        radius: (n,) float32 outer radius (centre to tip) in pixels, 10 to 24.
    """
    rng = np.random.default_rng(seed)
    stars = sample(n, rng)
    x = np.empty((n, 1, SIDE, SIDE), np.float32)
    start = 0
    for some in stars.chunks(_CHUNK):
        picture = x[start : start + len(some), 0]
        rng.standard_normal(out=picture, dtype=np.float32)
        picture *= some.noise[:, None, None]
        picture += render(some)
        np.clip(picture, 0, 1, out=picture)
        start += len(some)
    return {"x": x, "count": stars.count, "radius": stars.radius}


def example(number: int) -> Example:
    """One star to look at, with its labels."""
    seed = practice_seed(number)
    made, looks = make(1, seed), sample(1, np.random.default_rng(seed))  # the looks are what `make` draws first
    count, radius = int(made["count"][0]), float(made["radius"][0])
    tone = "light" if looks.contrast[0] > 0 else "dark"
    return Example(
        number=number,
        label={"count": count, "radius": round(radius, 2)},
        caption=f"{count} points, radius {radius:.1f} px",
        sentence=f"a {tone} star of {count} points, its outer radius {radius:.1f} pixels, its centre at column "
        f"{looks.x[0]:.0f} and row {looks.y[0]:.0f} of {SIDE}, noise {looks.noise[0]:.2f}.",
        picture=made["x"][0].transpose(1, 2, 0),
    )


def sample(n: int, rng: np.random.Generator) -> Stars:
    """Draw the looks of `n` stars, each independent of the others, every number of points equally likely."""

    def uniform(low: float | Floats, high: float | Floats) -> Floats:
        return (low + (high - low) * rng.random(n)).astype(np.float32)

    count = rng.integers(COUNTS[0], COUNTS[1], n, endpoint=True)
    radius = uniform(*RADII)
    inner = radius * uniform(*_NOTCH) * np.cos(np.pi / count).astype(np.float32)
    reach = radius + np.float32(_MARGIN)
    contrast = uniform(*_CONTRAST)
    darker = uniform(_GREY[0], _GREY[1] - contrast)
    light_on_dark = rng.random(n) < 0.5
    return Stars(
        count=count,
        radius=radius,
        inner=inner,
        x=uniform(reach, SIDE - reach),
        y=uniform(reach, SIDE - reach),
        angle=uniform(0, 2 * np.pi),
        background=np.where(light_on_dark, darker, darker + contrast),
        contrast=np.where(light_on_dark, contrast, -contrast),
        noise=uniform(*_NOISE),
    )


def render(stars: Stars) -> Floats:
    """The pictures without noise: (n, 64, 64) grey levels."""
    picture = cover(stars)
    picture *= stars.contrast[:, None, None]
    picture += stars.background[:, None, None]
    return picture


def cover(stars: Stars) -> Floats:
    """How much of each pixel lies inside the star: (n, 64, 64) in [0, 1].

    A star is the same in each of its 2·count sectors, so every pixel is turned and mirrored into the one beside a tip.
    There the star is what lies inside the two lines that meet in the tip, and the distances to both, in pixels, say how
    much of a pixel each line cuts off.
    """
    centres = np.arange(SIDE, dtype=np.float32) + np.float32(0.5)
    dx = centres[None, None, :] - stars.x[:, None, None]
    dy = centres[None, :, None] - stars.y[:, None, None]
    distance = np.sqrt(dx * dx + dy * dy)
    sector = (2 * np.pi / stars.count).astype(np.float32)[:, None, None]
    turned = np.arctan2(dy, dx)
    turned -= stars.angle[:, None, None]
    turned -= np.rint(turned / sector) * sector  # now 0 along the nearest tip, ± sector/2 along a notch
    along = np.cos(turned)
    along *= distance
    across = np.abs(np.sin(turned, out=turned), out=turned)
    across *= distance
    # the edge runs from the tip (radius, 0) to the notch (inner·cos, inner·sin); its outward normal has length 1
    half = np.pi / stars.count
    run = stars.radius - stars.inner * np.cos(half)
    rise = stars.inner * np.sin(half)
    length = np.hypot(run, rise)
    normal_along = (rise / length).astype(np.float32)[:, None, None]
    normal_across = (run / length).astype(np.float32)[:, None, None]
    along -= stars.radius[:, None, None]
    along *= normal_along
    across *= normal_across
    near, far = along + across, along - across  # signed distances to the near edge and to its mirror image
    inside: Floats = np.clip(0.5 - near, 0, 1) + np.clip(0.5 - far, 0, 1)
    inside -= 1
    return np.maximum(inside, 0, out=inside)
