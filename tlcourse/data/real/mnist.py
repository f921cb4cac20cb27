"""MNIST, and MNIST-M, for which its digits are blended over photographs.

MNIST are 60,000 and 10,000 handwritten digits in idx files (LeCun et al. 1998). Of MNIST-M (Ganin and Lempitsky 2015,
arXiv:1409.7495, section 4):

    picture = |patch − digit|, channel by channel; the patch is a random crop of a random photograph of BSDS500

BSDS500 are the photographs of Berkeley's segmentation benchmark (Arbeláez et al. 2011). Training pictures are made of
MNIST's training digits and BSDS500's training photographs, test pictures of the test digits and the test photographs,
so that neither a digit nor a photograph is in both. Where the authors' own test set lies in `mnist_m/mnist_m_test`, it
is used for the test.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tlcourse import paths
from tlcourse.data.real.files import Files, Remote
from tlcourse.errors import UnableError
from tlcourse.storage import replacing

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


PhotographPart = Literal["train", "val", "test"]
Photograph = np.ndarray[Any, np.dtype[np.uint8]]
PHOTOGRAPHS = {"train": 200, "val": 100, "test": 200}
PHOTOGRAPH_SIZE = (321, 481)
"""Pixels of the short and of the long side."""


class Photographs(Files, frozen=True, kw_only=True):
    """Complete where there are 500 JPEG files of the right size: no public list of checksums is known."""

    def names(self, folder: Path) -> list[str]:
        """Every photograph there."""
        return [f"{part}/{path.name}" for part in PHOTOGRAPHS for path in sorted((folder / part).glob("*.jpg"))]

    def content(self, name: str, data: bytes) -> bytes:
        """The file as it is; raises ValueError where it is not a photograph of the benchmark."""
        del name
        pixels(data)
        return data

    def lacking(self, names: list[str]) -> list[str]:
        """The parts with another number of photographs than the benchmark's."""
        found = {part: sum(name.startswith(f"{part}/") for name in names) for part in PHOTOGRAPHS}
        return [
            f"{p}: {found[p]} photographs, expected {count}" for p, count in PHOTOGRAPHS.items() if found[p] != count
        ]


BSDS = Photographs(
    name="bsds500",
    title="The photographs of BSDS500",
    source="Berkeley's segmentation benchmark of 2011, from the Corel collection; for research and teaching alone",
    folder="bsds500",
    used_by=("lab run dann --data full", "lab run patch-mix --data full"),
    within=("BSDS500/data/images", "BSR/BSDS500/data/images"),
)


def photographs(part: PhotographPart) -> list[Photograph]:
    """The photographs of a part, sorted by name, each (321, 481, 3) or (481, 321, 3) uint8 RGB.

    Raises UnableError where they are not here, some are missing, or one cannot be read.
    """
    folder = BSDS.required()
    names = BSDS.names(folder)
    if lacking := [problem for problem in BSDS.lacking(names) if problem.startswith(part)]:
        raise BSDS.damaged(folder, lacking[0])
    return [pixels(BSDS.read(name)) for name in names if name.startswith(f"{part}/")]


def pixels(data: bytes) -> Photograph:
    """A JPEG file as (height, width, 3); raises ValueError where it is not a photograph of the benchmark."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if tuple(sorted(image.size)) != PHOTOGRAPH_SIZE:
                raise ValueError(f"it has {image.width}×{image.height} pixels, not 481×321")
            return np.asarray(image.convert("RGB"), np.uint8)
    except OSError:  # Pillow's errors are OSErrors
        raise ValueError("it cannot be read: not a JPEG file, or a damaged one") from None


OFFICIAL = "mnist_m"
_RECIPE = 1  # counts up when pictures of the same seed change: what is kept is made anew
_MARGIN = 2  # the authors' pictures have 32 pixels a side, the digit in the middle 28


def load_blended(part: Part, seed: int = 0) -> tuple[Bytes, Labels]:
    """Pictures (n, 28, 28, 3) uint8 RGB and labels (n,) int64, in MNIST's order; the seed chooses the patches.

    What was made is kept in the user's cache. Raises UnableError where MNIST or BSDS500 is missing or damaged.
    """
    if part == "test" and (official := find_official()) is not None:
        return _official(official)
    digits, label = load(part)
    path = paths.cache_folder() / f"mnist-m-{_RECIPE}-{part}-{seed}.npy"
    kept = _kept(path, (len(digits), SIDE, SIDE, 3))
    if kept is None:
        kept = blend(digits, photographs(part), np.random.default_rng([seed, part == "test"]))
        _keep(path, kept)
    return kept, label


def blend(digits: Bytes, patches_of: list[Photograph], rng: np.random.Generator) -> Bytes:
    """|patch − digit| for each digit: (n, 28, 28), and photographs to take patches of -> (n, 28, 28, 3), all uint8."""
    made = np.empty((*digits.shape, 3), np.uint8)
    for number, digit in enumerate(digits):
        photograph = patches_of[rng.integers(len(patches_of))]
        top, left = (int(rng.integers(size - SIDE + 1)) for size in photograph.shape[:2])
        patch = photograph[top : top + SIDE, left : left + SIDE].astype(np.int16)
        made[number] = np.abs(patch - digit[..., None].astype(np.int16))
    return made


def find_official() -> Path | None:
    """The authors' test set: a folder of pictures, beside it a list of them with their labels."""
    found = paths.find_real_data(OFFICIAL)
    return found if found is not None and (found / "mnist_m_test_labels.txt").is_file() else None


def _official(folder: Path) -> tuple[Bytes, Labels]:
    from PIL import Image

    pictures, labels = [], []
    text = (folder / "mnist_m_test_labels.txt").read_text(encoding="ascii", errors="replace")
    for line in text.splitlines():
        name, _, digit = line.strip().partition(" ")
        if not name:
            continue
        try:
            if digit not in set("0123456789") or "/" in name or name.startswith("."):
                raise ValueError
            with Image.open(folder / "mnist_m_test" / name, formats=["PNG"]) as image:
                pixels = np.asarray(image.convert("RGB"), np.uint8)
        except (OSError, ValueError):
            raise _unreadable(
                folder, f"{name[:60]!r} of mnist_m_test_labels.txt is not a picture with a digit"
            ) from None
        if pixels.shape[0] == SIDE + 2 * _MARGIN:
            pixels = pixels[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        if pixels.shape != (SIDE, SIDE, 3):
            raise _unreadable(folder, f"{name[:60]!r} has neither 28 nor 32 pixels a side")
        pictures.append(pixels)
        labels.append(int(digit))
    if not pictures:
        raise _unreadable(folder, "mnist_m_test_labels.txt is empty")
    return np.stack(pictures), np.array(labels, np.int64)


def _unreadable(folder: Path, why: str) -> UnableError:
    return UnableError(
        f"The MNIST-M test set in {folder} cannot be used.",
        cause=f"{why}.",
        remedy="unpack the authors' archive again, or remove the folder: then one is made of MNIST and BSDS500.",
    )


def _kept(path: Path, shape: tuple[int, ...]) -> Bytes | None:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return array if array.shape == shape and array.dtype == np.uint8 else None


def _keep(path: Path, array: Bytes) -> None:
    """Write it beside its place and move it there: two runs may do so at once. A full disk only costs time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, durable=False) as stream:
            np.save(stream, array)
    except OSError:
        return
