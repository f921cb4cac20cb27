"""USPS: handwritten digits of American post codes, 16 by 16 (Hull 1994), in the files that torchvision reads."""

from __future__ import annotations

import bz2
from typing import Any, Literal

import numpy as np

from tlcourse.data.listed_files import ListedFiles, read
from tlcourse.errors import UnableError

Part = Literal["train", "test"]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Labels = np.ndarray[Any, np.dtype[np.int64]]
FILES = ListedFiles(
    name="usps",
    title="The digits of USPS",
    folder="usps",
    sums={"usps.bz2": "ec16c51db3855ca6c91edd34d0e9b197", "usps.t.bz2": "8ea070ee2aca1ac39742fdd1ef5ed118"},
    digest="md5",
    torchvision="USPS",
)
SIDE = 16
COUNT: dict[Part, int] = {"train": 7291, "test": 2007}
_MOST = 64 << 20  # bytes; the longer list has 20 MB unpacked


def load(part: Part) -> tuple[Bytes, Labels]:
    """All digits of a part in their own order: x (n, 16, 16) uint8, 0 paper and 255 ink, and y (n,) int64.

    Raises UnableError where they are not on this machine, or not as they should be.
    """
    name = "usps.bz2" if part == "train" else "usps.t.bz2"
    try:
        text = bz2.BZ2Decompressor().decompress(read(FILES, name), _MOST).decode("ascii")
        return parse(text, COUNT[part])
    except (OSError, ValueError) as error:
        raise UnableError(
            f"{name} is no list of digits.",
            cause=f"{error}.",
            remedy=f"tlcourse data verify usps – and then {FILES.remedy}",
        ) from None


def parse(text: str, count: int) -> tuple[Bytes, Labels]:
    """Lines `label 1:value … 256:value`, labels 1 to 10, values from −1 to 1; ValueError unless there are `count`."""
    lines = text.splitlines()
    if len(lines) != count:
        raise ValueError(f"{len(lines)} digits, not {count}")
    x, y = np.empty((count, SIDE * SIDE), np.float32), np.empty(count, np.int64)
    for row, line in enumerate(lines):
        label, *pairs = line.split()
        places, values = zip(*(pair.split(":") for pair in pairs), strict=True) if pairs else ((), ())
        if [int(place) for place in places] != list(range(1, SIDE * SIDE + 1)):
            raise ValueError(f"line {row + 1} has not the pixels 1 to {SIDE * SIDE}")
        y[row], x[row] = int(label) - 1, np.array(values, np.float32)
    if not ((y >= 0) & (y <= 9)).all() or not (np.abs(x) <= 1).all():
        raise ValueError("a label outside 1 to 10, or a pixel outside −1 to 1")
    return ((x + 1) / 2 * 255).astype(np.uint8).reshape(-1, SIDE, SIDE), y
