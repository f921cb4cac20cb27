"""Synthetic data by the name of their generator: how a seed becomes data, and single items to look at.

A generator is a module of `tlcourse.data.synthetic`, or a file that a course has beside its exercise.yaml, with
`make(n, seed)`, or `train_and_val(sizes, seed)` where both parts share something that the seed decides;
`example(number)` where it has samples.

Examples are numbered, and example 7 is the same for everyone. Their seeds are practice seeds, of which no training,
validation or test data are made: whoever has seen all examples has seen nothing of what a solution is graded on.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from msgspec import Struct

from tlcourse.course import programs
from tlcourse.errors import UsageError

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]
_PRACTICE = 0x70726163
"""Tells practice seeds apart from all others."""


def derived_seed(seed: int, purpose: str) -> int:
    """A seed for one purpose: 64 bits of HMAC-SHA256 with `seed` for its key.

    Nothing leads back from it to `seed`, or to what is derived for another purpose. NumPy's SeedSequence and PCG64 are
    not made for that: whoever holds what they gave may compute what they were given.
    """
    digest = hmac.new(str(seed).encode(), f"tlcourse data: {purpose}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big")


def split_seeds(seed: int) -> tuple[int, int, int]:
    """Seeds for train, validation and test: the data of one say nothing about the seed of another."""
    return derived_seed(seed, "train"), derived_seed(seed, "val"), derived_seed(seed, "test")


def train_and_val(generator: str | Path | None, sizes: Mapping[str, int], seed: int) -> tuple[Arrays, Arrays]:
    """Training and validation data as a grader makes them from the same seed; raises UsageError as `module_of`."""
    module = module_of(generator)
    if hasattr(module, "train_and_val"):
        both: tuple[Arrays, Arrays] = module.train_and_val(sizes, seed)
        return both
    train, val, _ = split_seeds(seed)
    return module.make(sizes["train"], train), module.make(sizes["val"], val)


def module_of(generator: str | Path | None) -> ModuleType:
    """The module of that name; raises UsageError where none is named, or there is none of that name."""
    if generator is None:
        raise UsageError(
            "The data of this exercise cannot be made without its grader.",
            cause="its exercise.yaml names no `generator`.",
            remedy="use a copy of the course that holds the grader, or name a generator in exercise.yaml.",
        )
    if isinstance(generator, Path):
        return programs.load(generator)
    try:
        return importlib.import_module(f"tlcourse.data.synthetic.{generator}")
    except ModuleNotFoundError:
        raise UsageError(
            f"There is no generator {generator!r}.",
            cause="the exercise's `generator` names no module of tlcourse.data.synthetic.",
            remedy="correct `generator` in exercise.yaml.",
        ) from None


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


def example(generator: str | Path | None, number: int) -> Example:
    """Example `number` (from 1 on) of a generator; raises UsageError where it has none."""
    module = module_of(generator)
    if not hasattr(module, "example"):
        raise UsageError(
            "There are no samples of this exercise's data.",
            cause=f"its generator {getattr(generator, 'name', generator)!r} has no function `example`.",
            remedy="its handout says what the data are.",
        )
    found: Example = module.example(number)
    return found
