"""GTSRB: photographs of German traffic signs, 43 classes (Stallkamp et al. 2011), unpacked as torchvision does it."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tlcourse.data import folders, through_torchvision
from tlcourse.data.download import Tell
from tlcourse.errors import UnableError, UsageError

Part = Literal["train", "test"]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Labels = np.ndarray[Any, np.dtype[np.int64]]
FOLDER = "gtsrb"
TITLE = "The traffic signs of GTSRB"
_PLACE: dict[Part, str] = {"train": "GTSRB/Training", "test": "GTSRB/Final_Test/Images"}
_LIST = "GT-final_test.csv"
COUNT: dict[Part, int] = {"train": 26_640, "test": 12_630}
CLASSES, SIDE = 43, 32
REMEDY = "tlcourse data get gtsrb, or from a copy: tlcourse data get gtsrb --from PATH, or: export TLCOURSE_DATA=FOLDER"


def find() -> Path | None:
    """The folder with `GTSRB` and the list of the test's classes, where there is one; nothing is opened."""
    found = folders.find(FOLDER)
    return found if found is not None and found.is_dir() else None


def load(part: Part, side: int = SIDE) -> tuple[Bytes, Labels]:
    """All photographs of a part, whole and resized: x (n, side, side, 3) uint8 RGB, and the class (n,) from 0 to 42.

    Raises UnableError where they are not here, their number is another one, or one cannot be read.
    """
    folder = find()
    if folder is None:
        raise UnableError(
            f"{TITLE} are not on this machine.",
            cause=f"no folder {FOLDER} in {' or '.join(map(str, folders.folders()))}.",
            remedy=REMEDY,
        )
    try:
        listed = _listed(folder, part)
    except ValueError as error:
        raise _damaged(folder, str(error)) from None
    x = np.empty((len(listed), side, side, 3), np.uint8)
    for row, (path, _) in enumerate(listed):
        problem, x[row] = _read(path, side)
        if problem:
            raise _damaged(folder, f"{path.relative_to(folder)}: {problem}")
    return x, np.array([label for _, label in listed], np.int64)


def problems_of(folder: Path) -> list[str]:
    """What is missing or cannot be read; empty when all are there. Checksums were published of the archives alone."""
    problems = []
    for part in _PLACE:
        try:
            listed = _listed(folder, part)
        except ValueError as error:
            problems.append(str(error))
            continue
        problems += [f"{path.relative_to(folder)}: {problem}" for path, _ in listed if (problem := _read(path, 1)[0])]
    return problems


def get(source: Path | None, tell: Tell = lambda _: None) -> Path:
    """Put the photographs into the user's data folder: from what was unpacked in `source`, else through torchvision.

    Torchvision compares the archives' checksums. Raises UnableError and UsageError; then nothing is changed.
    """
    target = folders.own_folder() / FOLDER
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".gtsrb-", dir=target.parent) as temporary:
        given = source or through_torchvision.fetch("GTSRB", Path(temporary) / "fetched", REMEDY, tell)
        found = given / FOLDER if (given / FOLDER).is_dir() else given
        if problems := problems_of(found):
            raise UsageError(
                f"{given} does not hold {TITLE[0].lower()}{TITLE[1:]}.",
                cause=f"{problems[0]}.",
                remedy=f"name the folder that holds {_LIST} and the folder GTSRB, as torchvision unpacks them.",
            )
        made = Path(temporary) / FOLDER
        for part in _PLACE:
            for path, _ in _listed(found, part):
                place = made / path.relative_to(found)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
        shutil.copyfile(found / _LIST, made / _LIST)
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)
    return target


def _listed(folder: Path, part: Part) -> list[tuple[Path, int]]:
    """Every photograph with its class, in torchvision's order; raises ValueError where they are not what they were."""
    if part == "train":
        names = [(path, path.parent.name) for path in sorted((folder / _PLACE[part]).glob("*/*.ppm"))]
        if any(len(name) != 5 or not name.isdecimal() for _, name in names):
            raise ValueError(f"{_PLACE[part]} has folders with other names than 00000 to 00042")
    else:
        names = [(folder / _PLACE[part] / name, label) for name, label in _test_list(folder / _LIST)]
    listed = [(path, int(label)) for path, label in names]
    if len(listed) != COUNT[part]:
        raise ValueError(f"{part}: {len(listed)} photographs, expected {COUNT[part]}")
    if any(label >= CLASSES for _, label in listed):
        raise ValueError(f"{part}: a class outside 0 to {CLASSES - 1}")
    return listed


def _test_list(path: Path) -> list[tuple[str, str]]:
    """File name and class of each line of the list, as they stand there; raises ValueError where it is none."""
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise ValueError(f"{_LIST}: {error.strerror}") from None
    lines = csv.DictReader(io.StringIO(text), delimiter=";")
    rows = [(line.get("Filename") or "", line.get("ClassId") or "") for line in lines]
    for name, label in rows:
        if not name.endswith(".ppm") or Path(name).name != name or not label.isdecimal():
            raise ValueError(f"{_LIST}: {name[:40]!r} with the class {label[:10]!r} is no line of the list")
    return rows


def _read(path: Path, side: int) -> tuple[str, Bytes]:
    """What is wrong with a photograph – empty where nothing is – and its pixels, (side, side, 3)."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(path.read_bytes()), formats=["PPM"]) as image:
            resized = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
            return "", np.asarray(resized, np.uint8)
    except (OSError, UnidentifiedImageError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no PPM picture, or a damaged one"
        return f"it cannot be read ({why})", np.zeros((side, side, 3), np.uint8)


def _damaged(folder: Path, why: str) -> UnableError:
    return UnableError(
        f"{TITLE} in {folder} are not complete.",
        cause=f"{why}.",
        remedy=f"tlcourse data verify gtsrb – and then {REMEDY}",
    )
