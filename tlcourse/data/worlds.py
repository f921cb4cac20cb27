"""The drawn worlds by name, and how one seed becomes the independent seeds of train, validation and test."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from tlcourse.errors import UsageError

Arrays = dict[str, np.ndarray[Any, Any]]


def split_seeds(seed: int) -> tuple[int, int, int]:
    """Seeds for train, validation and test, independent of each other (NumPy's SeedSequence)."""
    train, val, test = np.random.SeedSequence(seed).generate_state(3, np.uint64)
    return int(train), int(val), int(test)


def maker(world: str | None) -> Callable[[int, int], Arrays]:
    """`make(n, seed)` of a drawn world, such as `stars`; raises UsageError where there is none."""
    if world is None:
        raise UsageError(
            "The data of this exercise cannot be drawn without its grader.",
            cause="its exercise.yaml names no `world`.",
            remedy="use a copy of the course that holds the grader, or name a world in exercise.yaml.",
        )
    try:
        module = importlib.import_module(f"tlcourse.data.{world}")
    except ModuleNotFoundError:
        raise UsageError(
            f"There is no drawn world {world!r}.",
            cause="the exercise's `world` names no module of tlcourse.data.",
            remedy="correct `world` in exercise.yaml.",
        ) from None
    make: Callable[[int, int], Arrays] = module.make
    return make
