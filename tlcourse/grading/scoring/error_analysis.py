"""What went most wrong: the worst items with answer and truth, a confusion matrix, the calibration of quantiles.

It is made of validation items alone, which a run is given with their labels. A grader never passes test items to it,
so that it can be shown to whoever handed in. It counts for nothing. Pictures travel as small PNG files in base64.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.grading.scoring.measurement import MeasurementError
from tlcourse.text import line

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

WORST = 6
"""Items that are kept."""
ITEMS = 1000
"""Validation items that are predicted for it at most."""
SIDE = 64
"""Pixels of a kept picture in height and width at most."""
_LEVELS = 32  # of a colour: twice as many bytes for 256, and nobody sees the difference
_CHARS, _CLASSES, _CURVES, _POINTS = 80, 20, 12, 25
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3}  # of PNG's kinds of colour


class WorstItem(Struct, frozen=True):
    """A validation item on which the answer was far from the truth."""

    item: int
    """Its place among the validation items, from 0 on."""
    answer: str
    truth: str
    picture: str = ""
    """A PNG file in base64; empty where the input is no picture."""


class ConfusionMatrix(Struct, frozen=True):
    """How often which class was answered: `counts[i][j]` items of class i were taken for class j."""

    title: str
    classes: list[str]
    counts: list[list[int]]


class Calibration(Struct, frozen=True):
    """The share of targets that lie below each predicted quantile, beside the share that should."""

    title: str
    nominal: list[float]
    observed: list[float]


class ErrorAnalysis(Struct, frozen=True):
    """What the answers to `n` validation items look like."""

    n: int
    worst: list[WorstItem] = []
    confusion: ConfusionMatrix | None = None
    calibration: list[Calibration] = []


def worst_items(
    errors: Array, answer: Callable[[int], str], truth: Callable[[int], str], pictures: Array | None = None
) -> list[WorstItem]:
    """The items with the largest errors, the worst first.

    Args:
        errors: How wrong each answer is, (n,), by any scale; items of 0 or less are left out.
        answer: What was answered to an item, by its index; `truth` likewise.
        truth: See `answer`.
        pictures: (n, channels, height, width) in [0, 1] with 1 or 3 channels, where inputs are pictures.
    """
    import numpy as np

    errors = np.nan_to_num(errors.astype(np.float64), nan=0.0)
    first = np.argsort(-errors, kind="stable")[:WORST].tolist()
    return [
        WorstItem(one, answer(one), truth(one), "" if pictures is None else png(pictures[one]))
        for one in first
        if errors[one] > 0
    ]


def confusion_matrix(title: str, classes: Sequence[str], truth: Array, answered: Array) -> ConfusionMatrix:
    """Counts of what was taken for what; both arrays (n,) hold indices into `classes`."""
    import numpy as np

    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (truth, answered), 1)
    return ConfusionMatrix(title, list(classes), counts.tolist())


def calibration(title: str, nominal: Sequence[float], quantiles: Array, target: Array) -> Calibration:
    """Of `quantiles` (n, levels) and observed targets (n,): the share of targets at or below each."""
    return Calibration(title, list(nominal), (target[:, None] <= quantiles).mean(axis=0).tolist())


def received(given: Any, n: int) -> ErrorAnalysis:
    """What a grader returned for `n` items, bounded, with harmless words. Raises MeasurementError for anything else."""
    if not isinstance(given, ErrorAnalysis):
        raise MeasurementError(f"is a {type(given).__name__}, expected an ErrorAnalysis")
    try:
        found = msgspec.convert(msgspec.to_builtins(given), ErrorAnalysis)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
        raise MeasurementError(f"holds other types than expected ({error})") from None
    if found.n != n:
        raise MeasurementError(f"is of n = {found.n} items, expected {n}")
    if len(found.worst) > WORST:
        raise MeasurementError(f"has {len(found.worst)} worst items, expected at most {WORST}")
    return replace(
        found,
        worst=[_item(one, n) for one in found.worst],
        confusion=_confusion(found.confusion, n) if found.confusion else None,
        calibration=_calibrations(found.calibration),
    )


def _item(one: WorstItem, n: int) -> WorstItem:
    if not 0 <= one.item < n:
        raise MeasurementError(f"names the item {one.item}, expected 0 to {n - 1}")
    if one.picture:
        pixels(one.picture)
    return replace(one, answer=line(one.answer, _CHARS), truth=line(one.truth, _CHARS))


def _confusion(given: ConfusionMatrix, n: int) -> ConfusionMatrix:
    size = len(given.classes)
    if not 2 <= size <= _CLASSES or [len(row) for row in given.counts] != [size] * size:
        raise MeasurementError(f"has a confusion matrix of {size} classes, expected 2 to {_CLASSES}, and as many rows")
    counts = [count for row in given.counts for count in row]
    if min(counts) < 0 or sum(counts) > n:
        raise MeasurementError(f"has a confusion matrix of {sum(counts)} items, expected at most {n}, none below 0")
    return replace(given, title=line(given.title, _CHARS), classes=[line(name, 20) for name in given.classes])


def _calibrations(given: list[Calibration]) -> list[Calibration]:
    if len(given) > _CURVES:
        raise MeasurementError(f"has {len(given)} curves of calibration, expected at most {_CURVES}")
    for one in given:
        shares = [*one.nominal, *one.observed]
        if not 1 <= len(one.nominal) <= _POINTS or len(one.nominal) != len(one.observed):
            raise MeasurementError(f"has a curve of calibration of {len(one.nominal)} and {len(one.observed)} points")
        if not all(math.isfinite(share) and 0 <= share <= 1 for share in shares):
            raise MeasurementError("has a curve of calibration with other numbers than shares from 0 to 1")
    return [replace(one, title=line(one.title, _CHARS)) for one in given]


# -- pictures ----------------------------------------------------------------------------------------------------------


def png(picture: Array) -> str:
    """A picture (channels, height, width) in [0, 1], with 1 or 3 channels, as a PNG file in base64.

    One of more than 64 pixels a side is made smaller, each new pixel the mean of a square of old ones.
    """
    import numpy as np

    channels, height, width = picture.shape
    step = -(-max(height, width) // SIDE)
    rows, columns = height // step, width // step
    squares = picture[:, : rows * step, : columns * step].reshape(channels, rows, step, columns, step)
    levels = np.rint(np.clip(squares.mean(axis=(2, 4)), 0, 1) * (_LEVELS - 1)) * (255 / (_LEVELS - 1))
    lines = np.rint(levels).astype(np.uint8).transpose(1, 2, 0).reshape(rows, columns * channels)
    unfiltered = np.concatenate([np.zeros((rows, 1), np.uint8), lines], axis=1).tobytes()
    kind = {count: number for number, count in _CHANNELS.items()}[channels]
    header = struct.pack(">IIBBBBB", columns, rows, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(unfiltered, 9)), (b"IEND", b""))
    return base64.b64encode(_SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)).decode("ascii")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pixels(picture: str) -> Array:
    """A picture that `png` made, (height, width, channels) in [0, 1]; raises MeasurementError for any other file."""
    import numpy as np

    try:
        data = base64.b64decode(picture, validate=True)
        columns, rows, depth, kind, *rest = struct.unpack(">IIBBBBB", data[16:29])
        (length,) = struct.unpack(">I", data[33:37])
        if not data.startswith(_SIGNATURE) or data[12:16] != b"IHDR" or data[37:41] != b"IDAT":
            raise ValueError("it is no PNG file")
        if depth != 8 or any(rest) or kind not in _CHANNELS or not (0 < columns <= SIDE and 0 < rows <= SIDE):
            raise ValueError(f"it is larger than {SIDE} by {SIDE} pixels, or of another kind")
        size = rows * (1 + columns * _CHANNELS[kind])
        lines = zlib.decompressobj().decompress(data[41 : 41 + length], size + 1)
        if len(lines) != size:
            raise ValueError("it is not whole")
    except (binascii.Error, struct.error, zlib.error, ValueError) as error:
        raise MeasurementError(f"has a picture that `png` did not make ({error})") from None
    table = np.frombuffer(lines, np.uint8).reshape(rows, -1)
    if table[:, 0].any():
        raise MeasurementError("has a picture that `png` did not make (its lines are filtered)")
    return table[:, 1:].reshape(rows, columns, _CHANNELS[kind]) / np.float32(255)
