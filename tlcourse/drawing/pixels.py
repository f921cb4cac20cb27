"""A picture in characters: half-blocks in its own colours, or a ramp from light to dark where there are none.

A character is about twice as high as wide. A half-block `▀` holds two square pixels, its own colour above and the
background's below. Without colours each character is as dense as its two pixels are light.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

Array = np.ndarray[Any, Any]
Lines = list[list[Segment]]
"""One list of segments a line, all lines equally wide."""

RAMP = " .:-=+*#%@"
"""From dark to light; ASCII, so that every terminal has it."""
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601: how light a colour seems
_FAINT = 0.02  # of the pixels at either end so many may be cut off, so that noise does not take the ramp's ends


def picture(pixels: Array, columns: int, *, colour: bool) -> Lines:
    """A square picture (n, n, channels) in [0, 1], `columns` wide and half as many lines high."""
    rows = max(columns // 2, 1)
    if not colour:
        return [[Segment(line)] for line in ramp(resized(pixels, rows, columns))]
    cells = resized(pixels, 2 * rows, columns)
    levels = np.clip(np.rint(cells * 255), 0, 255).astype(int)
    levels = np.broadcast_to(levels, (2 * rows, columns, 3)).tolist()
    return [
        [Segment("▀", _style(upper, lower)) for upper, lower in zip(levels[row], levels[row + 1], strict=True)]
        for row in range(0, 2 * rows, 2)
    ]


def ramp(pixels: Array) -> list[str]:
    """One character a pixel of (rows, columns, channels): the darkest are blank, the lightest `@`."""
    light = pixels @ _LUMA if pixels.shape[2] == 3 else pixels[:, :, 0]
    low, high = np.quantile(light, [_FAINT, 1 - _FAINT])
    share = (light - low) / (high - low) if high - low > 1e-6 else np.full(light.shape, 0.5)
    steps = np.clip((share * len(RAMP)).astype(int), 0, len(RAMP) - 1)
    return ["".join(RAMP[step] for step in row) for row in steps.tolist()]


def resized(pixels: Array, rows: int, columns: int) -> Array:
    """(height, width, channels) to (rows, columns, channels): each new pixel is the mean of what it covers."""
    height, width = pixels.shape[:2]
    mixed: Array = np.einsum("ih,hwc,jw->ijc", _shares(height, rows), pixels, _shares(width, columns), optimize=True)
    return mixed


def _shares(before: int, after: int) -> Array:
    """(after, before): how much of each new pixel each old one fills; rows sum to 1."""
    edges = np.linspace(0, before, after + 1)
    old = np.arange(before)
    filled = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    shares: Array = np.clip(filled, 0, None) * (after / before)
    return shares


def _style(upper: list[int], lower: list[int]) -> Style:
    return Style.from_color(Color.from_rgb(*upper), Color.from_rgb(*lower))
