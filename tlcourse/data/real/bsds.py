"""BSDS500: photographs of Berkeley's segmentation benchmark (Arbeláez et al. 2011), the ground of MNIST-M."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tlcourse.data.real import folders
from tlcourse.errors import UnableError, UsageError

Part = Literal["train", "val", "test"]
Photograph = np.ndarray[Any, np.dtype[np.uint8]]
FOLDER = "bsds500"
COUNT = {"train": 200, "val": 100, "test": 200}
SIZE = (321, 481)
"""Pixels of the short and of the long side."""
REMEDY = "unpack the benchmark's archive, and: tlcourse data get bsds500 --from PATH, or: export TLCOURSE_DATA=FOLDER"


def find() -> Path | None:
    """The folder with `train`, `val` and `test`, where there is one; nothing is opened."""
    found = folders.find(FOLDER)
    return found if found is not None and found.is_dir() else None


def load(part: Part) -> list[Photograph]:
    """The photographs of a part, sorted by name, each (321, 481, 3) or (481, 321, 3) uint8 RGB.

    Raises UnableError where they are not here, their number is another one, or one cannot be read.
    """
    folder = find()
    if folder is None:
        raise UnableError(
            "The photographs of BSDS500 are not on this machine.",
            cause=f"no folder {FOLDER} in {' or '.join(map(str, folders.folders()))}.",
            remedy=REMEDY,
        )
    paths = _paths(folder, part)
    if len(paths) != COUNT[part]:
        raise _damaged(folder, f"{part} holds {len(paths)} photographs, not {COUNT[part]}")
    photographs = []
    for path in paths:
        problem, pixels = _read(path)
        if problem:
            raise _damaged(folder, f"{part}/{path.name}: {problem}")
        photographs.append(pixels)
    return photographs


def problems_of(folder: Path) -> list[str]:
    """What is missing or cannot be read; empty when all 500 are there. No public list of checksums is known."""
    problems = []
    for part, count in COUNT.items():
        paths = _paths(folder, part)
        if len(paths) != count:
            problems.append(f"{part}: {len(paths)} photographs, expected {count}")
        problems += [f"{part}/{path.name}: {problem}" for path in paths if (problem := _read(path)[0])]
    return problems


def get(source: Path | None) -> Path:
    """Copy the photographs below `source` into the user's data folder; the archive's own folders are looked into.

    Raises UnableError without a source, and UsageError where the photographs there are not complete.
    """
    if source is None:
        raise UnableError("There is no public address with a checksum for BSDS500.", remedy=REMEDY)
    places = (source, source / FOLDER, source / "BSDS500/data/images", source / "BSR/BSDS500/data/images")
    found = next((place for place in places if (place / "train").is_dir()), source)
    if problems := problems_of(found):
        raise UsageError(
            f"{source} does not hold the photographs of BSDS500.",
            cause=f"{problems[0]}.",
            remedy="name the folder that was unpacked from the benchmark's archive, with train, val and test in it.",
        )
    target = folders.own_folder() / FOLDER
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bsds500-", dir=target.parent) as temporary:
        made = Path(temporary) / FOLDER
        for part in COUNT:
            (made / part).mkdir(parents=True)
            for path in _paths(found, part):
                shutil.copyfile(path, made / part / path.name)
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)
    return target


def _paths(folder: Path, part: str) -> list[Path]:
    return sorted((folder / part).glob("*.jpg"))


def _read(path: Path) -> tuple[str, Photograph]:
    """What is wrong with a photograph – empty where nothing is – and its pixels."""
    from PIL import Image, UnidentifiedImageError

    nothing = np.zeros((0, 0, 3), np.uint8)
    try:
        with Image.open(io.BytesIO(path.read_bytes()), formats=["JPEG"]) as image:
            if tuple(sorted(image.size)) != SIZE:
                return f"it has {image.width}×{image.height} pixels, not 481×321", nothing
            return "", np.asarray(image.convert("RGB"), np.uint8)
    except (OSError, UnidentifiedImageError, ValueError) as error:
        return f"it cannot be read ({getattr(error, 'strerror', None) or 'no JPEG, or a damaged one'})", nothing


def _damaged(folder: Path, why: str) -> UnableError:
    return UnableError(
        f"The photographs of BSDS500 in {folder} are not complete.",
        cause=f"{why}.",
        remedy=f"tlcourse data verify bsds500 – and then {REMEDY}",
    )
