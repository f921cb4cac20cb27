"""MNIST: 60,000 and 10,000 handwritten digits in idx files (LeCun et al. 1998)."""

from __future__ import annotations

import struct
from typing import Any, Literal

import numpy as np

from tlcourse.data.real.files import Files, Remote
from tlcourse.errors import UnableError

Part = Literal["train", "test"]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Labels = np.ndarray[Any, np.dtype[np.int64]]
_ADDRESS = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_PACKED = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
SET = Files(
    name="mnist",
    title="The digits of MNIST",
    source="Yann LeCun, Corinna Cortes and Christopher Burges; CC BY-SA 3.0",
    folder="mnist",
    used_by=("lab run dann --data full", "lab run patch-mix --data full"),
    sums={  # of the files unpacked: copies are packed in more than one way
        "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    downloads={name: Remote(_ADDRESS + name, digest) for name, digest in _PACKED.items()},
    gzipped=True,
)
SIDE = 28
COUNT = {"train": 60_000, "test": 10_000}


def load(part: Part) -> tuple[Bytes, Labels]:
    """All digits of a part in their own order: x (n, 28, 28) uint8, 0 paper and 255 ink, and y (n,) int64.

    Raises UnableError where they are not on this machine, or not as they should be.
    """
    prefix = "train" if part == "train" else "t10k"
    x = idx(SET.read(f"{prefix}-images-idx3-ubyte.gz"), (COUNT[part], SIDE, SIDE))
    y = idx(SET.read(f"{prefix}-labels-idx1-ubyte.gz"), (COUNT[part],))
    return x, y.astype(np.int64)


def idx(data: bytes, shape: tuple[int, ...]) -> Bytes:
    """The bytes of an idx file as an array; raises UnableError unless its magic, sizes and length say `shape`."""
    head = struct.pack(f">{1 + len(shape)}I", 0x0800 + len(shape), *shape)  # 8: unsigned bytes
    if not data.startswith(head) or len(data) != len(head) + int(np.prod(shape)):
        raise UnableError(
            f"An idx file does not hold unsigned bytes of shape {shape}.",
            cause="another data set under the same name.",
            remedy=SET.remedy,
        )
    return np.frombuffer(data, np.uint8, offset=len(head)).reshape(shape)
