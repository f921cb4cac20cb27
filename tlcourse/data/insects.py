"""The world of exercise 1: one insect in a colour picture, seen from above, on ground that is never the same.

A *source* task of many species, on which the course's small ResNet was trained, and a *target* task of two others: ants
and bees. Where the animal sits, how it is turned and bent, its size, its colours and those of the ground, the light,
what lies around it and over it are chance, and drawn alike for every species: only the shape of the parts tells them
apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tlcourse.data.examples import Example, practice_seed
from tlcourse.data.insects_draw import SIDE, Floats, Pen
from tlcourse.data.insects_parts import Coat
from tlcourse.data.insects_species import SOURCE, TARGET
from tlcourse.data.worlds import Arrays

Labels = np.ndarray[Any, np.dtype[np.int64]]
Species = Mapping[str, Callable[[Pen, Coat], None]]

_LENGTH = (19.0, 25.0)  # a body from head to tail, in pixels
_SHIFT = 3.0  # how far its middle lies from the picture's, at most, in pixels
_BEND = 0.5  # see Pen.pose
_CONTRAST = (0.25, 0.5)  # between the lightness of ground and body; its sign is drawn
_HUE = 0.25  # how far a colour's channels lie from its lightness, at most
_TEXTURE = 0.1  # standard deviation of the ground's texture
_CLUTTER = 5  # blades and twigs on the ground, at most
_OCCLUDED = 0.3  # share of pictures in which a blade lies over the animal
_LIGHT = 0.3  # how much darker or lighter than the middle a side of the picture may be
_NOISE = (0.02, 0.08)  # standard deviation of the noise of a pixel
_CHUNK = 16  # pictures drawn at a time: they stay in the processor's cache


def make(n: int, seed: int) -> Arrays:
    """`n` pictures of the target task; the same seed gives the same bytes.

    Returns:
        x: (n, 3, 32, 32) float32 RGB in [0, 1]. label: (n,) int64, 0 ant, 1 bee; as many of each (n even).
    """
    return draw(TARGET, n, seed)


def example(number: int) -> Example:
    """One picture of the target task to look at; of each two, one is an ant and one a bee, in an order by chance."""
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
    """`n` pictures of the source task; `label` counts the names of `insects_species.SOURCE`."""
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


def scenes(paint: Callable[[Pen, Coat], None], n: int, rng: np.random.Generator) -> Floats:
    """`n` pictures of one species: ground, animal, what lies over it, light and noise, (n, 3, 32, 32)."""
    pen = Pen(np.empty((n, 3, SIDE, SIDE), np.float32), rng)
    lightness = pen.vary(0.2, 0.8)
    ground(pen, lightness)
    pen_of_ground = Pen(pen.picture, rng)
    pen.pose(
        x=pen.vary(-_SHIFT, _SHIFT),
        y=pen.vary(-_SHIFT, _SHIFT),
        angle=pen.vary(0, 2 * np.pi),
        length=pen.vary(*_LENGTH),
        bend=pen.vary(-_BEND, _BEND),
    )
    paint(pen, coat(pen, lightness))
    blades(pen_of_ground, lightness, most=1, share=_OCCLUDED, width=(1.5, 3.5), through=8.0)
    return finish(pen_of_ground)


def coat(pen: Pen, ground: Floats) -> Coat:
    """Colours for `n` animals on grounds of the given lightness, (n,): chance but for their contrast."""
    sign = np.where(pen.rng.random(pen.n) < 0.5, 1.0, -1.0)
    sign = np.where(ground < 0.35, 1.0, np.where(ground > 0.65, -1.0, sign))
    body = ground + sign * pen.vary(*_CONTRAST)
    away = np.where(body > 0.5, -1.0, 1.0)
    return Coat(
        body=colours(pen, body),
        mark=colours(pen, body + away * pen.vary(0.2, 0.45)),
        leg=colours(pen, body + pen.vary(-0.15, 0.15)),
        wing=colours(pen, ground + np.where(pen.rng.random(pen.n) < 0.5, 1.0, -1.0) * pen.vary(0.2, 0.45)),
        clearness=pen.vary(0.5, 0.9),
    )


def colours(pen: Pen, lightness: np.ndarray[Any, np.dtype[np.floating[Any]]]) -> Floats:
    """(n, 3) random colours of about the given lightness, (n,)."""
    hue = pen.rng.uniform(-_HUE, _HUE, (pen.n, 3)).astype(np.float32)
    hue -= hue.mean(axis=1, keepdims=True)
    mixed: Floats = np.clip(lightness[:, None] + hue, 0, 1).astype(np.float32)
    return mixed


def ground(pen: Pen, lightness: Floats) -> None:
    """Fill the pictures with textured ground, and put blades and twigs on it."""
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
