"""Arrays that come out of a sandbox: safetensors, read with NumPy alone, and exactly what was asked for or nothing."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tlcourse.course.spec import Output, TaskSpec

_SLACK = 64 * 1024
_MAX_HEADER = 32 * 1024


class BadArraysError(ValueError):
    """The predictions break the contract; the message is for the student."""


def pack(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Arrays as one safetensors document."""
    return bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def order_of(seed: int | None, n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The order in which a run is given its `n` test inputs, (n,) indices into them; as they are for None."""
    return np.arange(n) if seed is None else np.random.default_rng(seed).permutation(n)


GRAPH_CAP = 64 * 2**20
"""Bytes that a graph of the returned module may take."""


def handed_out_first(graph: bytes, val_predictions: bytes) -> bytes:
    """What comes before the test inputs, as one: 8 bytes of length, predictions of validation items, and a graph."""
    return struct.pack("<Q", len(val_predictions)) + val_predictions + graph


def taken_first(data: bytes) -> tuple[bytes, bytes]:
    """The graph and the predictions in what came before the test inputs; empty where that is not whole."""
    if len(data) < 8:
        return b"", b""
    (length,) = struct.unpack("<Q", data[:8])
    if length > len(data) - 8:
        return b"", b""
    return data[8 + length :], data[8 : 8 + length]


def first_cap(task_spec: TaskSpec) -> int:
    """Bytes that may come before the test inputs."""
    asked = GRAPH_CAP if task_spec.graph else 0
    if task_spec.val_predictions:
        asked += size_cap(task_spec.val_predictions, task_spec.outputs)
    return asked + 8 if asked else 0


def size_cap(n: int, outputs: Sequence[Output]) -> int:
    """Bytes that honest float32 predictions for `n` items can take."""
    return sum(4 * n * int(np.prod(spec.shape, dtype=np.int64)) for spec in outputs) + _SLACK


def read_predictions(
    data: bytes, n: int, outputs: Sequence[Output]
) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Predictions for `n` items: exactly the named float32 arrays of shape (n, …), all finite; else BadArraysError."""
    if len(data) > size_cap(n, outputs):
        raise BadArraysError(f"the predictions take {len(data)} bytes, at most {size_cap(n, outputs)} were expected")
    _check_header(data, {spec.name for spec in outputs})
    try:
        arrays = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise BadArraysError(f"the predictions are not a safetensors document ({error})") from None
    for spec in outputs:
        array, expected = arrays[spec.name], (n, *spec.shape)
        if array.dtype != np.float32:
            raise BadArraysError(f"`{spec.name}` has dtype {array.dtype}, expected float32")
        if array.shape != expected:
            raise BadArraysError(f"`{spec.name}` has shape {array.shape}, expected {expected}")
        bad = int(array.size - np.isfinite(array).sum())
        if bad:
            raise BadArraysError(f"`{spec.name}` holds {bad} values that are NaN or infinite, expected finite numbers")
    return {spec.name: arrays[spec.name] for spec in outputs}


def _check_header(data: bytes, names: set[str]) -> None:
    """Look at the header before anything is allocated for it."""
    if len(data) < 8:
        raise BadArraysError("no predictions came out")
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(_MAX_HEADER, len(data) - 8):
        raise BadArraysError("the predictions are not a safetensors document (its header is too long)")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        raise BadArraysError("the predictions are not a safetensors document (its header is not JSON)") from None
    found = set(header) - {"__metadata__"} if isinstance(header, dict) else set()
    if found != names:
        raise BadArraysError(f"the predictions hold {sorted(found)}, expected exactly {sorted(names)}")
