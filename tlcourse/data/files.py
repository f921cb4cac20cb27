"""Data of an exercise that lie in files, where no grader makes them.

exercises/NAME/data/train.npz, val.npz     `x` and the targets by name, for students
graders/NAME/data/test.npz                 the same, for staff alone
graders/NAME/data/answers.csv              of a file of predictions: its columns, with what is right
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcourse.course.programs import DataFolders

if TYPE_CHECKING:
    from tlcourse.course.model import Exercise

Arrays = dict[str, np.ndarray[Any, Any]]


class DataFileError(ValueError):
    """A file of data is missing or another than was expected; says which."""


def read_files(about: Exercise, sizes: Mapping[str, int], folders: DataFolders) -> tuple[Arrays, Arrays, Arrays | None]:
    """Train, validation and test; of each its first `sizes` items. The test is None where the hidden files are not.

    Raises DataFileError.
    """
    if about.model is None:
        table = (
            _answers(folders.hidden, about.predictions.file if about.predictions else "") if folders.hidden else None
        )
        return {}, {}, table or {}
    train, val = (_arrays(folders.public, f"{name}.npz", sizes.get(name)) for name in ("train", "val"))
    return train, val, _arrays(folders.hidden, "test.npz", sizes.get("test")) if folders.hidden else None


def _arrays(folder: Path | None, name: str, size: int | None) -> Arrays:
    if folder is None:
        raise DataFileError(f"no folder `data` that holds {name}")
    try:
        with np.load(folder / name, allow_pickle=False) as file:
            return {key: file[key][:size] for key in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataFileError(f"data/{name} cannot be read: {error}") from None


def _answers(folder: Path, handed_in: str) -> Arrays:
    """What a file of predictions is measured on: a file of the same form, `answers` with its ending."""
    name = f"answers{Path(handed_in).suffix}"
    path = folder / name
    try:
        if name.endswith(".csv"):
            with path.open(newline="", encoding="utf-8-sig") as stream:
                header, *rows = csv.reader(stream)
            return {key: _column([row[at] for row in rows]) for at, key in enumerate(header)}
        if name.endswith(".npy"):
            return {"predictions": np.load(path, allow_pickle=False)}
        from safetensors.numpy import load_file

        return dict(load_file(path))
    except Exception as error:  # safetensors has its own
        raise DataFileError(f"data/{name} cannot be read: {error}") from None


def _column(cells: list[str]) -> np.ndarray[Any, Any]:
    """Numbers where all of a column are; else text."""
    try:
        return np.array([float(one) for one in cells])
    except ValueError:
        return np.array(cells)
