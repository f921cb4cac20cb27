"""Arrays that come out of a sandbox: safetensors, read with NumPy alone, and exactly what was asked for or nothing."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tlcourse.course.spec import Output, TaskSpec
from tlcourse.execution import items

_SLACK = 64 * 1024
_MAX_HEADER = 32 * 1024


DTYPES = {name: np.dtype(name) for name in ("float32", "uint8", "int64", "bool")} | {"bytes": np.dtype("uint8")}
"""Of what an output's numbers are, by the word of exercise.yaml."""


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
    """Bytes that honest predictions for `n` items can take."""
    return sum(n * (_item_bytes(spec) + 8 * bool(spec.rows)) for spec in outputs) + _SLACK


def _item_bytes(spec: Output) -> int:
    return DTYPES[spec.dtype].itemsize * math.prod(spec.shape) * (spec.rows or 1)


def read_predictions(data: bytes, n: int, outputs: Sequence[Output]) -> dict[str, Any]:
    """Predictions for `n` items: exactly the named arrays of shape (n, …), all finite; else BadArraysError.

    Where an output has rows, a list of n arrays (rows, …) or of n texts.
    """
    if len(data) > size_cap(n, outputs):
        raise BadArraysError(f"the predictions take {len(data)} bytes, at most {size_cap(n, outputs)} were expected")
    names = {name for spec in outputs for name in (spec.name, *([_lengths_name(spec)] if spec.rows else []))}
    if (found := _names_in(data)) != names:
        raise BadArraysError(f"the predictions hold {sorted(found)}, expected exactly {sorted(names)}")
    arrays = _loaded(data)
    for spec in outputs:
        array, rows = arrays[spec.name], n
        if spec.rows:
            rows = _rows(spec, arrays[_lengths_name(spec)], n)
        expected = (rows, *spec.shape)
        if array.dtype != DTYPES[spec.dtype]:
            raise BadArraysError(f"`{spec.name}` has dtype {array.dtype}, expected {DTYPES[spec.dtype]}")
        if array.shape != expected:
            said = f"{expected}, as its lengths say" if spec.rows else f"{expected}"
            raise BadArraysError(f"`{spec.name}` has shape {array.shape}, expected {said}")
        if array.dtype.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
            raise BadArraysError(f"`{spec.name}` holds bytes that are neither False nor True")
        bad = int(array.size - np.isfinite(array).sum())
        if bad:
            raise BadArraysError(f"`{spec.name}` holds {bad} values that are NaN or infinite, expected finite numbers")
    return items.wholes(arrays, [spec.name for spec in outputs])


def _lengths_name(spec: Output) -> str:
    return spec.name + (items.BYTES if spec.dtype == "bytes" else items.LENGTHS)


def _rows(spec: Output, lengths: np.ndarray[Any, Any], n: int) -> int:
    """How many rows all items have together; raises BadArraysError for lengths that are none, or too large."""
    if lengths.dtype != np.int64 or lengths.shape != (n,):
        said = f"lengths of {lengths.dtype} {lengths.shape}"
        raise BadArraysError(f"`{spec.name}` has {said}, expected one of int64 for each of {n} items")
    if wrong := np.flatnonzero((lengths < 0) | (lengths > spec.rows)).tolist():
        said = f"item {wrong[0]} has {lengths[wrong[0]]} rows"
        raise BadArraysError(f"`{spec.name}`: {said}, expected at most {spec.rows}")
    return int(lengths.sum())


def require_rows(predictions: Mapping[str, Any], x: Any, outputs: Sequence[Output]) -> None:
    """Raise BadArraysError where an item has another number of rows than the input that `rows_of` names."""
    for spec in outputs:
        if not spec.rows_of:
            continue
        for i, (found, given) in enumerate(zip(predictions[spec.name], items.field(x, spec.rows_of), strict=True)):
            if len(found) != len(given):
                said = f"item {i} has {len(found)} rows, expected {len(given)}, as many as its `{spec.rows_of}` has"
                raise BadArraysError(f"`{spec.name}`: {said}")


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
    return items.count_in(test_inputs or {}, "x")


def run_cap(n: int, task_spec: TaskSpec) -> int:
    """Bytes that may come out once a run has its test inputs: predictions for `n` items, and answers of calls."""
    calls = task_spec.calls
    answers = 8 + calls.count * (calls.answer_kb * 1024 + CASE_SLACK) if calls else 0
    return size_cap(n, task_spec.outputs) + answers


CALLS = "calls"
"""The name, among test inputs, of the document that says what is to be called (`answers.py`)."""
CASE_SLACK = 16 * 1024
"""Bytes that come out with each answer beside its value."""
