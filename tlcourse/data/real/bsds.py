"""BSDS500: photographs of Berkeley's segmentation benchmark (Arbeláez et al. 2011), the backgrounds of MNIST-M."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tlcourse.data.real.files import Files

Part = Literal["train", "val", "test"]
Photograph = np.ndarray[Any, np.dtype[np.uint8]]
COUNT = {"train": 200, "val": 100, "test": 200}
SIZE = (321, 481)
"""Pixels of the short and of the long side."""


class Photographs(Files, frozen=True, kw_only=True):
    """Complete where there are 500 JPEG files of the right size: no public list of checksums is known."""

    def names(self, folder: Path) -> list[str]:
        """Every photograph there."""
        return [f"{part}/{path.name}" for part in COUNT for path in sorted((folder / part).glob("*.jpg"))]

    def content(self, name: str, data: bytes) -> bytes:
        """The file as it is; raises ValueError where it is not a photograph of the benchmark."""
        del name
        pixels(data)
        return data

    def lacking(self, names: list[str]) -> list[str]:
        """The parts with another number of photographs than the benchmark's."""
        found = {part: sum(name.startswith(f"{part}/") for name in names) for part in COUNT}
        return [f"{p}: {found[p]} photographs, expected {count}" for p, count in COUNT.items() if found[p] != count]


SET = Photographs(
    name="bsds500",
    title="The photographs of BSDS500",
    source="Berkeley's segmentation benchmark of 2011, from the Corel collection; for research and teaching alone",
    folder="bsds500",
    used_by=("lab run dann --data full", "lab run patch-mix --data full"),
    within=("BSDS500/data/images", "BSR/BSDS500/data/images"),
)


def load(part: Part) -> list[Photograph]:
    """The photographs of a part, sorted by name, each (321, 481, 3) or (481, 321, 3) uint8 RGB.

    Raises UnableError where they are not here, some are missing, or one cannot be read.
    """
    folder = SET.required()
    names = SET.names(folder)
    if lacking := [problem for problem in SET.lacking(names) if problem.startswith(part)]:
        raise SET.damaged(folder, lacking[0])
    return [pixels(SET.read(name)) for name in names if name.startswith(f"{part}/")]


def pixels(data: bytes) -> Photograph:
    """A JPEG file as (height, width, 3); raises ValueError where it is not a photograph of the benchmark."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if tuple(sorted(image.size)) != SIZE:
                raise ValueError(f"it has {image.width}×{image.height} pixels, not 481×321")
            return np.asarray(image.convert("RGB"), np.uint8)
    except OSError:  # Pillow's errors are OSErrors
        raise ValueError("it cannot be read: not a JPEG file, or a damaged one") from None
