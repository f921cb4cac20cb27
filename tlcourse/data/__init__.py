"""Which data an exercise is made on: synthetic (`mini`) or real (`full`), imported when it is asked for."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from tlcourse.errors import UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import Exercise
    from tlcourse.data.synthetic import Arrays

MINI, FULL = "mini", "full"


def choose_variant(about: Exercise, wanted: str) -> str:
    """`mini` or `full`; `auto` is full where its data are on this machine. Raises UsageError for any other name."""
    if wanted == MINI or (wanted == "auto" and about.real is None):
        return MINI
    if wanted not in (FULL, "auto"):
        raise UsageError(f"There is no variant {wanted!r}.", remedy="use one of: auto, mini, full.")
    if about.real is None:
        raise UsageError(
            f"{about.id} has no full variant.", cause="it has synthetic data alone.", remedy="use --variant mini."
        )
    if wanted == FULL:
        return FULL
    return FULL if _module(about.real).available() else MINI


def real_data(about: Exercise, seed: int) -> tuple[Arrays, Arrays, Arrays]:
    """Train, validation and test of an exercise's real data; raises UnableError where they are not here."""
    assert about.real is not None, "`choose_variant` gives `full` only for exercises with real data"
    made: tuple[Arrays, Arrays, Arrays] = _module(about.real).make(seed)
    return made


def public_arrays(about: Exercise, variant: str, seed: int) -> tuple[Arrays, Arrays]:
    """Training and validation data alone, for use without a grader."""
    if variant == FULL:
        return real_data(about, seed)[:2]
    from tlcourse.data.synthetic import train_and_val

    return train_and_val(about.generator, about.sizes, seed)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"tlcourse.data.real.{name}")
    except ModuleNotFoundError:
        raise UsageError(
            f"There are no real data {name!r}.",
            cause="the exercise's `real` names no module of tlcourse.data.real.",
            remedy="correct `real` in exercise.yaml.",
        ) from None
