"""What the data of a drawn world look like: single items with what is true of them, for students to look at.

Examples are numbered, and example 7 is the same for everyone. Their seeds are practice seeds, of which no training,
validation or test data are made: whoever has seen all examples has seen nothing of what a solution is graded on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct

from tlcourse.data.worlds import module_of
from tlcourse.errors import UsageError

Array = np.ndarray[Any, Any]
_PRACTICE = 0x70726163
"""Told apart from the seeds of data in `worlds.split_seeds`, which have no spawn key at all."""


class Distribution(Struct, frozen=True):
    """What a number to be predicted may be, given the input."""

    name: str
    y: Array
    """(k,) rising values."""
    cdf: Array
    """(k,) the probability of being at most that."""
    levels: tuple[float, ...]
    quantiles: tuple[float, ...]
    """The true ones, at the levels."""
    drawn: float
    """The one value that a solution gets to see."""


class Example(Struct, frozen=True):
    """One item: a picture, or distributions of the numbers to be predicted."""

    number: int
    label: dict[str, Any]
    """What a solution is to find, under the names of its targets."""
    caption: str
    """The label in a few words."""
    sentence: str
    """What can be seen, for people who do not."""
    picture: Array | None = None
    """(height, width, channels) float32 in [0, 1]; one channel is grey, three are RGB."""
    inputs: list[float] = []
    """What the distributions depend on."""
    distributions: list[Distribution] = []


def practice_seed(number: int) -> int:
    """The seed of example `number`, 64 bits."""
    return int(np.random.SeedSequence(number, spawn_key=(_PRACTICE,)).generate_state(1, np.uint64)[0])


def example(world: str | None, number: int) -> Example:
    """Example `number` (from 1 on) of a world; raises UsageError where a world has none."""
    module = module_of(world)
    if not hasattr(module, "example"):
        raise UsageError(
            "There are no samples of this exercise's data.",
            cause=f"its world {world!r} has no function `example`.",
            remedy="its handout says what the data are.",
        )
    found: Example = module.example(number)
    return found
