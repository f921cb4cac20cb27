"""Which data an exercise is made on: synthetic (`mini`) or real (`full`), imported when it is asked for."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from tlcourse.course import programs
from tlcourse.errors import UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.data.synthetic import Arrays

MINI, FULL = "mini", "full"


def choose_variant(exercise: LoadedExercise, wanted: str) -> str:
    """`mini` or `full`; `auto` is full where its data are on this machine. Raises UsageError for any other name."""
    real = exercise.real
    if wanted == MINI or (wanted == "auto" and real is None):
        return MINI
    if wanted not in (FULL, "auto"):
        raise UsageError(f"There is no variant {wanted!r}.", remedy="use one of: auto, mini, full.")
    if real is None:
        raise UsageError(
            f"{exercise.about.id} has no full variant.",
            cause="it has synthetic data alone.",
            remedy="use --variant mini.",
        )
    if wanted == FULL:
        return FULL
    return FULL if _module(real).available() else MINI


def real_data(exercise: LoadedExercise, seed: int) -> tuple[Arrays, Arrays, Arrays]:
    """Train, validation and test of an exercise's real data; raises UnableError where they are not here."""
    real = exercise.real
    assert real is not None, "`choose_variant` gives `full` only for exercises with real data"
    made: tuple[Arrays, Arrays, Arrays] = _module(real).make(seed)
    return made


def public_arrays(exercise: LoadedExercise, variant: str, seed: int) -> tuple[Arrays, Arrays]:
    """Training and validation data alone, without what the staff alone have.

    They come from the generator of the exercise; where it names none, from the grader that students have as well.

    Raises UsageError where there is neither.
    """
    if variant == FULL:
        return real_data(exercise, seed)[:2]
    from tlcourse.data.files import read_files
    from tlcourse.data.synthetic import train_and_val

    folders = programs.DataFolders(exercise.data.public, None)
    if exercise.generator is None and exercise.grader is not None:
        module = programs.load(exercise.grader, exercise.folder)
        if hasattr(module, "make"):
            train, val, _ = programs.call(module.make, dict(exercise.about.sizes), seed, variant, folders)
            return train, val
    if exercise.generator is None and exercise.is_measured:
        train, val, _ = read_files(exercise.about, exercise.about.sizes, folders)
        return train, val
    return train_and_val(exercise.generator, exercise.about.sizes, seed)


def _module(name: str | Path) -> ModuleType:
    if isinstance(name, Path):
        return programs.load(name)
    try:
        return importlib.import_module(f"tlcourse.data.real.{name}")
    except ModuleNotFoundError:
        raise UsageError(
            f"There are no real data {name!r}.",
            cause="the exercise's `real` names no module of tlcourse.data.real.",
            remedy="correct `real` in exercise.yaml.",
        ) from None
