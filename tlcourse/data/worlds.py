"""The drawn worlds by name, and how one seed becomes the independent seeds of train, validation and test."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from tlcourse.errors import UsageError

Arrays = dict[str, np.ndarray[Any, Any]]


def split_seeds(seed: int) -> tuple[int, int, int]:
    """Seeds for train, validation and test, independent of each other (NumPy's SeedSequence)."""
    train, val, test = np.random.SeedSequence(seed).generate_state(3, np.uint64)
    return int(train), int(val), int(test)


def train_and_val(world: str | None, sizes: Mapping[str, int], seed: int) -> tuple[Arrays, Arrays]:
    """What a grader trains on with the same seed, made without it; raises UsageError where there is no such world.

    A module of a world has `make(n, seed)`, or `train_and_val(sizes, seed)` where both must share what is drawn.
    """
    module = module_of(world)
    if hasattr(module, "train_and_val"):
        both: tuple[Arrays, Arrays] = module.train_and_val(sizes, seed)
        return both
    train, val, _ = split_seeds(seed)
    return module.make(sizes["train"], train), module.make(sizes["val"], val)


def module_of(world: str | None) -> ModuleType:
    """The module that draws a world; raises UsageError where there is no such world."""
    if world is None:
        raise UsageError(
            "The data of this exercise cannot be drawn without its grader.",
            cause="its exercise.yaml names no `world`.",
            remedy="use a copy of the course that holds the grader, or name a world in exercise.yaml.",
        )
    try:
        return importlib.import_module(f"tlcourse.data.{world}")
    except ModuleNotFoundError:
        raise UsageError(
            f"There is no drawn world {world!r}.",
            cause="the exercise's `world` names no module of tlcourse.data.",
            remedy="correct `world` in exercise.yaml.",
        ) from None
