"""The full data of exercise 1: the 397 photographs of ants and bees of PyTorch's transfer-learning tutorial.

Whatever is read is compared with `hymenoptera.sha256` beside this file (`sha256sum`'s format; the same bytes as in the
tutorial's archive). Nothing of a photograph but its pixels goes on: no name, no folder, no order, no EXIF.
"""

from __future__ import annotations

import functools
import hashlib
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tlcourse.data.real import folders, weights
from tlcourse.data.real.download import Tell, download
from tlcourse.data.synthetic.generators import Arrays
from tlcourse.errors import UnableError, UsageError

FOLDER = "hymenoptera_data"
URL = "https://download.pytorch.org/tutorial/hymenoptera_data.zip"
SHA256 = "fbc41b31d544714d18dd1230b1e2b455e1557766e13e67f9f5a7a23af7c02209"
"""Of the archive, as PyTorch's own build of its tutorials checks it."""
REMEDY = "tlcourse data get hymenoptera – or, from a copy: tlcourse data get hymenoptera --from PATH"

SIDE = 224
"""Pixels along a side, after the tutorial's resize to 256 and crop of the middle."""
_RESIZED = 256
CLASSES = ("ants", "bees")
HELD_OUT = 22
"""Photographs of each class that are taken from the tutorial's training set for validation."""
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Read = Callable[[str], bytes]


@functools.cache
def checksums() -> dict[str, str]:
    """SHA-256 of each photograph by its name, such as `train/ants/0013035.jpg`."""
    lines = Path(__file__).with_name("hymenoptera.sha256").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def find() -> Path | None:
    """The folder `hymenoptera_data`, where there is one; nothing is verified."""
    found = folders.find(FOLDER)
    return found if found is not None and found.is_dir() else None


def available() -> bool:
    """Whether the photographs are on this machine, and weights of some network for photographs."""
    return find() is not None and bool(weights.listed())


def problems_of(folder: Path) -> list[str]:
    """What is missing or changed in a folder of photographs; empty when all 397 are as they should be."""
    problems = []
    for name, expected in checksums().items():
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as error:
            problems.append(f"{name}: {error.strerror}")
            continue
        if found != expected:
            problems.append(f"{name}: its bytes are not those of the tutorial's photograph")
    return problems


def get(source: Path | None = None, tell: Tell = lambda _: None) -> Path:
    """Put the photographs into the user's data folder, from the network or from `source`, an archive or a folder.

    Returns the folder. Raises UnableError and UsageError; then nothing is left behind.
    """
    target = folders.own_folder() / FOLDER
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".hymenoptera-", dir=target.parent) as temporary:
        if source is None:
            source = Path(temporary) / "archive.zip"
            download(URL, source, SHA256, "tlcourse data get hymenoptera --from PATH", tell)
        made = Path(temporary) / FOLDER
        _copy_listed(source, made)
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)
    return target


def _copy_listed(source: Path, target: Path) -> None:
    """Copy the photographs that the list names, and nothing else, each verified on its way."""
    with _Source(source) as read:
        for name, expected in checksums().items():
            data = read(name)
            if hashlib.sha256(data).hexdigest() != expected:
                raise UsageError(
                    f"{source} holds another {name} than the tutorial's.",
                    cause="the copy is damaged, or its photographs were resized or saved again.",
                    remedy="take the original archive, hymenoptera_data.zip of PyTorch's transfer-learning tutorial.",
                )
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


class _Source:
    """An archive or a folder with photographs, as a function from a name to bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._archive: zipfile.ZipFile | None = None

    def __enter__(self) -> Read:
        if self._path.is_dir():
            inner = self._path / FOLDER
            self._folder = inner if inner.is_dir() else self._path
            return self._from_folder
        try:
            self._archive = zipfile.ZipFile(self._path)
        except (OSError, zipfile.BadZipFile):
            raise self._unreadable("it is neither a folder nor a ZIP archive") from None
        return self._from_archive

    def __exit__(self, *_: object) -> None:
        if self._archive is not None:
            self._archive.close()

    def _from_folder(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise self._unreadable(f"{name}: {error.strerror}") from None

    def _from_archive(self, name: str) -> bytes:
        assert self._archive is not None, "opened in __enter__"
        try:
            info = self._archive.getinfo(f"{FOLDER}/{name}")
            if info.file_size > 8 << 20:  # the largest has 2.1 MB
                raise self._unreadable(f"{name} is {info.file_size} bytes long")
            return self._archive.read(info)
        except (KeyError, OSError, RuntimeError, zipfile.BadZipFile):
            raise self._unreadable(f"{FOLDER}/{name} is missing or damaged in it") from None

    def _unreadable(self, why: str) -> UsageError:
        return UsageError(
            f"The photographs cannot be read from {self._path}.",
            cause=f"{why}.",
            remedy="name the tutorial's hymenoptera_data.zip, or the folder that was unpacked from it.",
        )


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
    folder = find()
    if folder is None:
        raise UnableError(
            "The photographs of ants and bees are not on this machine.",
            cause=f"no folder {FOLDER} in {' or '.join(map(str, folders.folders()))}.",
            remedy=f"{REMEDY} – or use the drawn pictures: --variant mini",
        )
    names = sorted(name for name in checksums() if name.startswith(f"{part}/"))
    x = np.stack([_pixels(_verified(folder, name)) for name in names])
    return x, np.array([CLASSES.index(name.split("/")[1]) for name in names], np.int64)


def _verified(folder: Path, name: str) -> bytes:
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise _damaged(folder, f"{name}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != checksums()[name]:
        raise _damaged(folder, f"{name} is not the tutorial's photograph")
    return data


def _damaged(folder: Path, why: str) -> UnableError:
    return UnableError(
        f"The photographs in {folder} are damaged.", cause=f"{why}.", remedy=f"tlcourse data verify – and then {REMEDY}"
    )


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
