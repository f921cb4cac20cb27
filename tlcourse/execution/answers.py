"""Plain values that go into a sandbox and come out of it: None, bool, numbers, str, bytes, list, tuple, dict, arrays.

A value is one document: JSON, in which everything has one form, then its arrays as safetensors. What goes in are the
arguments of calls, what comes out are answers. These were written beside student code: reading is strict and bounded,
and gives objects of exactly those types, or nothing. What an answer says of itself – that it equals another – is never
asked.
"""

from __future__ import annotations

import binascii
import json
import math
import re
import struct
import sys
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct

from tlcourse.execution.arrays import CASE_SLACK, BadArraysError, pack, read_arrays

DEPTH, NODES, ARRAYS, ITEMS = 32, 100_000, 200, 10_000
"""At most: levels of a value, values in it, arrays, keys of a table, and what is taken of an iterator."""
TUPLE_KEYS = 500
"""Keys of a table that may be tuples: those of -1 and -2 all have one hash, and each is compared with all others."""
_LARGE = 2**53
_MOST_BITS = 4096
_HEXADECIMAL = re.compile("-?[0-9a-f]+")
_NUMBERS = frozenset(
    np.dtype(name) for name in "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64".split()
)


class AnswerError(ValueError):
    """A value cannot travel; the message goes on after what it is the value of: `is …`, `holds …`."""


class Ref(Struct, frozen=True):
    """In arguments: what has this name where the call is made – kept before, the trained module, or the solution's."""

    name: str


def to_bytes(value: Any, most: int = 2**30) -> bytes:
    """The document of a value; raises AnswerError for what cannot travel, or takes more than `most` bytes."""
    packer = _Packer(most)
    text = json.dumps(packer.node(value, 0), ensure_ascii=True, allow_nan=False).encode()
    data = struct.pack("<I", len(text)) + text + (pack(packer.arrays) if packer.arrays else b"")
    if len(data) > most + 4096:
        raise AnswerError(f"takes {len(data)} bytes, at most {most} are allowed")
    return data


class _Packer:
    """Turns a value into nodes of JSON, and its arrays."""

    def __init__(self, most: int) -> None:
        self.arrays: dict[str, np.ndarray[Any, Any]] = {}
        self.most = self.left = most
        self.nodes = 0

    def node(self, value: Any, depth: int) -> Any:
        """One value. Subclasses of plain types are taken as what they are below, without asking them."""
        self.nodes += 1
        if depth > DEPTH:
            raise AnswerError(f"is nested more than {DEPTH} levels deep")
        if self.nodes > NODES:
            raise AnswerError(f"holds more than {NODES} values; numbers belong into an array")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if issubclass(kind, np.generic) and not isinstance(value, np.void):
            return self.node(_number_of(value), depth)
        for base, plain in ((int, int.__int__), (float, float.__float__), (str, str.__str__)):
            if issubclass(kind, base):
                return self._scalar(plain(value))
        if issubclass(kind, bytes | bytearray):
            self._spend(len(value) * 4 // 3)
            return {"b": binascii.b2a_base64(bytes.__add__(b"", value), newline=False).decode("ascii")}
        if issubclass(kind, list):
            return {"l": self._all(list.__iter__(value), depth)}
        if issubclass(kind, tuple):
            return {"t": self._all(tuple.__iter__(value), depth)}
        if issubclass(kind, dict):
            self._count_keys(value)
            return {"d": [self._all(iter(pair), depth) for pair in dict.items(value)]}
        if kind is Ref:
            return {"r": value.name}
        return self._other(value, depth)

    def _count_keys(self, table: dict[Any, Any]) -> None:
        if dict.__len__(table) > ITEMS:
            raise AnswerError(f"holds a table of more than {ITEMS} keys")
        if sum(issubclass(type(key), tuple) for key in dict.keys(table)) > TUPLE_KEYS:
            raise AnswerError(f"holds a table of more than {TUPLE_KEYS} keys that are tuples")

    def _all(self, values: Iterator[Any], depth: int) -> list[Any]:
        return [self.node(one, depth + 1) for one in values]

    def _scalar(self, value: int | float | str) -> Any:
        if isinstance(value, str):
            self._spend(len(value))
            return value.encode("utf-8", "replace").decode("utf-8")
        if isinstance(value, float):
            return value if math.isfinite(value) else {"f": repr(value)}
        if value.bit_length() > _MOST_BITS:
            raise AnswerError(f"is, or holds, an int of more than {_MOST_BITS} bits")
        return value if abs(value) <= _LARGE else {"i": f"{value:x}"}

    def _other(self, value: Any, depth: int) -> Any:
        array = _array_of(value)
        if array is not None:
            return self._array(array, depth)
        if hasattr(type(value), "__next__"):
            found: list[Any] = []
            for one in value:
                if len(found) == ITEMS:
                    raise AnswerError(f"is an iterator that gives more than {ITEMS} values")
                found.append(one)
            return {"l": self._all(iter(found), depth)}
        hint = "; return a sorted list" if isinstance(value, set | frozenset) else ""
        raise AnswerError(f"is, or holds, an object of type {type(value).__name__}{hint}")

    def _array(self, array: np.ndarray[Any, Any], depth: int) -> Any:
        if array.dtype.kind == "U":
            return self.node(array.tolist(), depth)
        if array.dtype.newbyteorder("=") not in _NUMBERS:
            raise AnswerError(f"is, or holds, an array of dtype {array.dtype}, which holds no plain numbers")
        if len(self.arrays) == ARRAYS:
            raise AnswerError(f"holds more than {ARRAYS} arrays")
        self._spend(array.nbytes)
        name = str(len(self.arrays))
        self.arrays[name] = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        return {"a": int(name)}

    def _spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise AnswerError(f"takes more than the {self.most} bytes that are allowed")


def _number_of(value: np.generic) -> Any:
    """A scalar of NumPy as one of Python's."""
    plain = value.item()
    if not isinstance(plain, bool | int | float | str):
        raise AnswerError(f"is, or holds, a {type(value).__name__}, which is no plain number")
    return plain


def _array_of(value: Any) -> np.ndarray[Any, Any] | None:
    """An array of NumPy's, where it is one or can give one, as those of torch, JAX and TensorFlow do."""
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return np.asarray(value.float() if value.dtype is torch.bfloat16 else value)
    if hasattr(type(value), "__array__"):
        return np.asarray(value)
    return None


def from_bytes(data: bytes, most: int = 2**30, *, refs: bool = False) -> Any:
    """The value of a document; raises AnswerError for anything that `to_bytes` does not write.

    Args:
        data: From beside student code.
        most: Bytes that the value may take.
        refs: Whether there may be references: in arguments, never in answers.
    """
    if len(data) > most + 4096 or len(data) < 4:
        raise AnswerError(f"is a document of {len(data)} bytes")
    (length,) = struct.unpack("<I", data[:4])
    text, packed = data[4 : 4 + length], data[4 + length :]
    try:
        tree = json.loads(text, parse_constant=_refused)
        found = read_arrays(packed, ARRAYS) if packed else {}
    except (ValueError, RecursionError, BadArraysError) as error:
        raise AnswerError(f"is no document of ours ({str(error)[:200]})") from None
    reader = _Reader(found, refs=refs)
    value = reader.value(tree, 0)
    if reader.arrays:
        raise AnswerError("holds arrays that stand nowhere in it")
    return value


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


class _Reader:
    """Turns nodes back into values; each array stands for one of them."""

    def __init__(self, found: dict[str, np.ndarray[Any, Any]], *, refs: bool) -> None:
        self.arrays = found
        self.refs = refs
        self.nodes = 0

    def value(self, node: Any, depth: int) -> Any:
        self.nodes += 1
        if depth > DEPTH or self.nodes > NODES:
            raise AnswerError("is larger or deeper than an answer may be")
        if node is None or isinstance(node, bool | float | str):
            return node
        if isinstance(node, int) and abs(node) <= _LARGE:
            return node
        if not isinstance(node, dict) or len(node) != 1:
            raise AnswerError("holds what is no value")
        ((kind, inner),) = node.items()
        match kind, inner:
            case "l", list():
                return [self.value(one, depth + 1) for one in inner]
            case "t", list():
                return tuple(self.value(one, depth + 1) for one in inner)
            case "d", list():
                return self._table(inner, depth)
            case "b", str():
                return _bytes(inner)
            case "f", "nan" | "inf" | "-inf":
                return float(inner)
            case "i", str() if len(inner) <= _MOST_BITS // 4 + 2:
                return _large(inner)
            case "a", int():
                return self._array(inner)
            case "r", str() if self.refs:
                return Ref(inner)
        raise AnswerError("holds what is no value")

    def _table(self, pairs: list[Any], depth: int) -> dict[Any, Any]:
        table: dict[Any, Any] = {}
        if len(pairs) > ITEMS:  # keys may be made so that each meets all others
            raise AnswerError(f"holds a table of more than {ITEMS} keys")
        tuples = 0
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2:
                raise AnswerError("holds a table that is none")
            key = self.value(pair[0], depth + 1)
            tuples += isinstance(key, tuple)
            if tuples > TUPLE_KEYS:
                raise AnswerError(f"holds a table of more than {TUPLE_KEYS} keys that are tuples")
            if not _is_key(key):
                raise AnswerError("holds a table with a key that is not finite, or neither a number nor text")
            if key in table:
                raise AnswerError("holds a table in which a key stands twice")
            table[key] = self.value(pair[1], depth + 1)
        return table

    def _array(self, number: int) -> np.ndarray[Any, Any]:
        array = self.arrays.pop(str(number), None)
        if array is None or array.dtype not in _NUMBERS:
            raise AnswerError("holds an array that is not there, or holds no plain numbers")
        return array


def _bytes(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True) if text else b""
    except ValueError:
        raise AnswerError("holds what is no value") from None


def _large(text: str) -> int:
    if not _HEXADECIMAL.fullmatch(text):
        raise AnswerError("holds what is no value")
    return int(text, 16)


def _is_key(key: Any) -> bool:
    if isinstance(key, tuple):
        return all(_is_key(one) for one in key)
    return key is None or isinstance(key, bool | str) or (isinstance(key, int | float) and abs(key) <= _LARGE)


# -- answers, one after another ----------------------------------------------------------------------------------------


class Raised(Struct, frozen=True):
    """Why a case has no answer; what is said of it comes from beside student code."""

    kind: Literal["exception", "todo", "missing", "slow", "memory", "answer", "died"]
    """`missing`: nothing of that name is defined; `todo`: NotImplementedError; `answer`: it gave what cannot travel;
    `died`: it took the process with it."""
    type: str = ""
    """The name of the exception's class."""
    said: str = ""
    place: str = ""
    """`solution.py, line 5, in softmax`."""
    call: int = 0
    """Of its case: which one."""


class _Status(Struct, frozen=True, forbid_unknown_fields=True):
    case: int
    raised: Raised | None = None


def frame(case: int, value: bytes, raised: Raised | None = None) -> bytes:
    """What a case gave, as it comes out: two lengths, what became of it, and the document of its value."""
    status = msgspec.json.encode(_Status(case, raised))
    return struct.pack("<II", len(status), len(value)) + status + value


def read_frames(data: bytes, answer_kb: int) -> Iterator[tuple[int, Any]]:
    """Number and answer of each case whose frame is whole, in the order of their coming, to the first that is none."""
    at, most = 0, answer_kb * 1024
    while len(data) - at >= 8:
        status_length, length = struct.unpack("<II", data[at : at + 8])
        at += 8
        if status_length > CASE_SLACK - 4096 or length > most + 4096 or at + status_length + length > len(data):
            return
        try:
            status = msgspec.json.decode(data[at : at + status_length], type=_Status)
        except (msgspec.MsgspecError, RecursionError):
            return
        value = data[at + status_length : at + status_length + length]
        at += status_length + length
        if status.raised is not None:
            yield status.case, status.raised
            continue
        try:
            yield status.case, from_bytes(value, most)
        except AnswerError as error:
            yield status.case, Raised("answer", said=str(error))
