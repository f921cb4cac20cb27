"""SVHN: digits of house numbers, cropped to 32 by 32 (Netzer et al. 2011), in the files that torchvision reads."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from tlcourse.data.listed_files import ListedFiles, read_mat
from tlcourse.errors import UnableError

Part = Literal["train", "test"]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Labels = np.ndarray[Any, np.dtype[np.int64]]
FILES = ListedFiles(
    name="svhn",
    title="The house numbers of SVHN",
    folder="svhn",
    sums={
        "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
        "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
    },
    digest="md5",
    torchvision="SVHN",
)
SIDE = 32
COUNT: dict[Part, int] = {"train": 73_257, "test": 26_032}


def load(part: Part) -> tuple[Bytes, Labels]:
    """All pictures of a part in their own order: x (n, 32, 32, 3) uint8 RGB, and the digit in the middle (n,).

    Raises UnableError where they are missing or damaged, or SciPy, which reads them, is not installed.
    """
    found = read_mat(FILES, f"{part}_32x32.mat")
    x, y = np.asarray(found["X"]), np.asarray(found["y"], np.int64).ravel()
    shape = (SIDE, SIDE, 3, COUNT[part])
    if x.shape != shape or x.dtype != np.uint8 or y.shape != shape[-1:] or not set(y.tolist()) <= set(range(1, 11)):
        raise UnableError(
            f"{part}_32x32.mat holds {x.dtype} of shape {x.shape}, not bytes of shape {shape} with labels 1 to 10.",
            cause="another data set under the same name.",
            remedy=FILES.remedy,
        )
    return np.ascontiguousarray(x.transpose(3, 0, 1, 2)), y % 10  # the digit 0 has the label 10
