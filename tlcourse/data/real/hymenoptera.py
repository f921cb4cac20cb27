"""The full data of exercise 1: the 397 photographs of ants and bees of PyTorch's transfer-learning tutorial.

Whatever is read is compared with `hymenoptera.sha256` beside this file (`sha256sum`'s format; the same bytes as in the
tutorial's archive). Only the pixels of a photograph are passed on: no name, no folder, no order, no EXIF.
"""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

import numpy as np

from tlcourse.data.real import weights
from tlcourse.data.real.files import Files, Remote

_LIST = Path(__file__).with_name("hymenoptera.sha256").read_text(encoding="utf-8")
SET = Files(
    name="hymenoptera",
    title="The photographs of ants and bees",
    source="PyTorch's transfer-learning tutorial, from ImageNet; published for teaching, no licence known",
    folder="hymenoptera_data",
    used_by=("ex1 --variant full", "lab run fine-tuning --data full"),
    sums={name: digest for digest, name in (line.split("  ", 1) for line in _LIST.splitlines())},
    archive=Remote(  # the checksum is that of PyTorch's own build of its tutorials
        "https://download.pytorch.org/tutorial/hymenoptera_data.zip",
        "fbc41b31d544714d18dd1230b1e2b455e1557766e13e67f9f5a7a23af7c02209",
    ),
)
SIDE = 224
"""Pixels along a side, after the tutorial's resize to 256 and crop of the middle."""
_RESIZED = 256
CLASSES = ("ants", "bees")
HELD_OUT = 22
"""Photographs of each class that are taken from the tutorial's training set for validation."""
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Arrays = dict[str, np.ndarray[Any, Any]]


def available() -> bool:
    """Whether the photographs are on this machine, and weights of some network for photographs."""
    return SET.find() is not None and bool(weights.listed())


def make(seed: int) -> tuple[Arrays, Arrays, Arrays]:
    """Train (200), validation (44) and test (153) photographs; the tutorial's `val` folder is the test.

    Returns three times:
        x: (n, 3, 224, 224) float32 RGB in [0, 1]. label: (n,) int64, 0 ant, 1 bee. Split and order are the seed's.

    Raises:
        UnableError: they are not on this machine, or not as they should be.
    """
    rng = np.random.default_rng(seed)
    x, label = photographs("train")
    shuffled = rng.permutation(len(x))
    held = np.concatenate([shuffled[label[shuffled] == c][:HELD_OUT] for c in range(len(CLASSES))])
    rest = shuffled[~np.isin(shuffled, held)]
    test_x, test_label = photographs("val")
    order = rng.permutation(len(test_x))
    return _floats(x, label, rest), _floats(x, label, rng.permutation(held)), _floats(test_x, test_label, order)


def _floats(x: Bytes, label: np.ndarray[Any, Any], which: np.ndarray[Any, Any]) -> Arrays:
    return {"x": x[which].astype(np.float32) / np.float32(255), "label": label[which]}


@functools.lru_cache(maxsize=2)
def photographs(part: str) -> tuple[Bytes, np.ndarray[Any, np.dtype[np.int64]]]:
    """All of `train` or `val`: (n, 3, 224, 224) uint8 and labels (n,), sorted by name. Verified as they are read."""
    names = sorted(name for name in SET.sums if name.startswith(f"{part}/"))
    x = np.stack([_pixels(SET.read(name)) for name in names])
    return x, np.array([CLASSES.index(name.split("/")[1]) for name in names], np.int64)


def _pixels(data: bytes) -> Bytes:
    """A JPEG file as (3, 224, 224): its shorter side resized to 256, then the middle, as in the tutorial."""
    from PIL import Image  # here: only this file needs it, and only for full data

    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        rgb = image.convert("RGB")
    scale = _RESIZED / min(rgb.size)
    rgb = rgb.resize((round(rgb.width * scale), round(rgb.height * scale)), Image.Resampling.BILINEAR)
    left, top = (rgb.width - SIDE) // 2, (rgb.height - SIDE) // 2
    cropped = rgb.crop((left, top, left + SIDE, top + SIDE))
    return np.ascontiguousarray(np.asarray(cropped, np.uint8).transpose(2, 0, 1))
