"""GTSRB: German traffic signs of 43 classes (Stallkamp et al. 2011), a part of them resized to 32 by 32.

Six frames of each track and 40 % of the test: figures on them are not those of the official split.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any, Literal

import numpy as np

from tlcourse.data.real.files import Files

Part = Literal["train", "val", "test"]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Labels = np.ndarray[Any, np.dtype[np.int64]]
FILE = "gtsrb32_sub.npz"
SET = Files(
    name="gtsrb",
    title="The traffic signs of GTSRB",
    source="Stallkamp, Schlipsing, Salmen and Igel 2011; published for research, no licence known",
    folder="gtsrb",
    sums={FILE: "217d7c130f8378062b374be009cb84d27f5a65cd0f85895bed6e4ee8b9c432c6"},
)
CLASSES, SIDE = 43, 32
HELD_OUT = 5
"""Of each class every fifth track is for validation: the frames of a track show one and the same sign."""


def load(part: Part) -> tuple[Bytes, Labels]:
    """The signs of a part: x (n, 32, 32, 3) uint8 RGB, and the class (n,) from 0 to 42.

    Raises UnableError where they are not on this machine, or not as they should be.
    """
    try:
        with np.load(io.BytesIO(SET.read(FILE)), allow_pickle=False) as found:
            arrays = dict(found)
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise SET.damaged(SET.required(), f"{FILE}: {error}") from None
    x, y = (arrays[f"{'test' if part == 'test' else 'train'}_{name}"] for name in "xy")
    if part != "test":
        held = arrays["train_track"][:, 0] % HELD_OUT == HELD_OUT - 1  # (track of its class, frame of the track)
        x, y = (x[held], y[held]) if part == "val" else (x[~held], y[~held])
    return x, y.astype(np.int64)
