"""What a grader measures, with its interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np


class Measurement(Struct, frozen=True):
    """One measured value: its 95 % interval, how many items it rests on, and what to do next, in words."""

    value: float
    n: int
    interval: tuple[float, float]
    message: str = ""


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927), which stays within [0, 1] and holds for p near 1."""
    if n <= 0:
        return (0.0, 1.0)
    p = successes / n
    centre = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return (max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def mean_interval(values: np.ndarray, z: float = 1.96) -> tuple[float, float]:
    """The normal interval of a mean of independent `values`, shape (n,)."""
    n = int(values.size)
    if n == 0:
        return (-math.inf, math.inf)
    mean = float(values.mean())
    if n == 1:
        return (mean, mean)
    spread = z * float(values.std(ddof=1)) / math.sqrt(n)
    return (mean - spread, mean + spread)
