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
    return bytes(save({name: np.asarray(array, order="C") for name, array in arrays.items()}))


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
    names = {spec.name for spec in outputs}
    if (found := _names_in(data)) != names:
        raise BadArraysError(f"the predictions hold {sorted(found)}, expected exactly {sorted(names)}")
    arrays = _loaded(data)
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


def read_arrays(data: bytes, most: int) -> dict[str, np.ndarray[Any, Any]]:
    """A document of at most so many arrays, whatever their names, types and values; else BadArraysError."""
    if len(found := _names_in(data)) > most:
        raise BadArraysError(f"the document holds {len(found)} arrays, at most {most} were expected")
    return _loaded(data)


def _loaded(data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    try:
        return dict(load(data))
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadArraysError(f"the predictions are not a safetensors document ({error})") from None


def _names_in(data: bytes) -> set[str]:
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
    return set(header) - {"__metadata__"} if isinstance(header, dict) else set()


def items_in(test_inputs: Mapping[str, Any] | None) -> int:
    """How many items are to be predicted; 0 where there are calls alone, or nothing."""
    return len(test_inputs["x"]) if test_inputs and "x" in test_inputs else 0


def run_cap(n: int, task_spec: TaskSpec) -> int:
    """Bytes that may come out once a run has its test inputs: predictions for `n` items, and answers of calls."""
    calls = task_spec.calls
    answers = 8 + calls.count * (calls.answer_kb * 1024 + CASE_SLACK) if calls else 0
    return size_cap(n, task_spec.outputs) + answers


CALLS = "calls"
"""The name, among test inputs, of the document that says what is to be called (`answers.py`)."""
CASE_SLACK = 16 * 1024
"""Bytes that come out with each answer beside its value."""
