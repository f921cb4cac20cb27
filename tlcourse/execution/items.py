"""Inputs, labels and predictions of any form, and how they travel: an array of items, items of different lengths,
texts, or a table of these by name.

    x = np.zeros((n, 3, 32, 32), np.float32)                    # one array: all items are alike
    x = [np.zeros((12, 4), np.float32), np.zeros((7, 4), np.float32)]   # ragged: items of 12 and 7 rows
    x = ["To be".encode(), "or not".encode()]                   # texts
    x = {"image": np.zeros((n, 3, 32, 32), np.uint8), "words": [b"a cat", b"two"]}

They travel as plain arrays: what is ragged as all rows, one item after another, and the lengths beside them
(`x/lengths`, of texts `x/bytes`); what stands in a table has a name with a dot (`x.words`). What is here looks at
nothing but lengths, so that it serves tensors as well as arrays; it is used beside student code, too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

LENGTHS, BYTES = "/lengths", "/bytes"
"""Behind the name of what is ragged: its lengths, (n,) int64; of texts the second."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_KINDS = "biuf"
Flat = dict[str, np.ndarray[Any, Any]]


class FormError(ValueError):
    """A value that cannot be an input; the message continues a sentence about it: `is …`, `holds …`."""


# -- of whatever form --------------------------------------------------------------------------------------------------


def count(value: Any) -> int:
    """How many items there are."""
    return count(next(iter(value.values()))) if isinstance(value, Mapping) else len(value)


def part(value: Any, which: slice | Sequence[int] | np.ndarray[Any, Any]) -> Any:
    """The items that `which` names, in its order and of the same form."""
    if isinstance(value, Mapping):
        return {name: part(one, which) for name, one in value.items()}
    if isinstance(value, list):
        return value[which] if isinstance(which, slice) else [value[int(i)] for i in which]
    return value[which]


def item(value: Any, index: int) -> Any:
    """One item: a row, a text, or a table of them."""
    if isinstance(value, Mapping):
        return {name: item(one, index) for name, one in value.items()}
    return value[index]


def field(value: Any, name: str) -> Any:
    """What `x.words` names of the table `x`, and `x` of anything else."""
    _, _, inner = name.partition(".")
    return value[inner] if inner else value


# -- as they travel ----------------------------------------------------------------------------------------------------


def flattened(table: Mapping[str, Any]) -> Flat:
    """All of a table as plain arrays; those that are plain are the same objects.

    Raises FormError for what is of no form that an input may have, with the name of it.
    """
    flat: Flat = {}
    for name, value in table.items():
        if not isinstance(name, str):
            raise FormError(f"stands {name!r:.60} for a name, expected a text")
        if (whose := _stem(name)) != name and whose in table:  # else it went wherever that goes: a label, with `x`
            raise FormError(f"`{name}` is called as a part of `{whose}`, expected a name without dot and slash")
        for inner, one in value.items() if isinstance(value, Mapping) else [("", value)]:
            if isinstance(value, Mapping) and not (isinstance(inner, str) and _NAME.fullmatch(inner)):
                raise FormError(f"`{name}` holds the key {inner!r:.60}, expected lower-case names")
            full = f"{name}.{inner}" if isinstance(value, Mapping) else name
            try:
                flat |= _flat(full, one)
            except FormError as error:
                raise FormError(f"`{full}` {error}") from None
        if isinstance(value, Mapping):
            lengths = {inner: 0 if getattr(one, "shape", None) == () else len(one) for inner, one in value.items()}
            if len(set(lengths.values())) != 1:
                raise FormError(f"`{name}` holds {lengths or 'nothing'}, expected as many items under every name")
    return flat


def _flat(name: str, value: Any) -> Flat:
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise FormError("is an array of objects, expected numbers; items of different lengths are a list of arrays")
        return {name: value}
    if not isinstance(value, list) or not value:
        raise FormError(f"is {_kind(value)}, expected an array, a list of arrays or of bytes, or a table of these")
    if all(type(one) is bytes for one in value):
        lengths = np.array([len(one) for one in value], np.int64)
        return {name: np.frombuffer(bytearray().join(value), np.uint8), f"{name}{BYTES}": lengths}
    if any(isinstance(one, str) for one in value):
        raise FormError("is a list that holds str, expected bytes: text.encode()")
    first = value[0]
    for i, one in enumerate(value):
        if not isinstance(one, np.ndarray) or one.ndim == 0 or one.dtype.hasobject:
            raise FormError(f"is a list whose item {i} is {_kind(one)}, expected an array with a length, or bytes")
        if (one.dtype, one.shape[1:]) != (first.dtype, first.shape[1:]):
            raise FormError(
                f"is a list whose item {i} has rows of {one.dtype}{list(one.shape[1:])}, and item 0 of "
                f"{first.dtype}{list(first.shape[1:])}, expected the same"
            )
    return {name: np.concatenate(value), f"{name}{LENGTHS}": np.array([len(one) for one in value], np.int64)}


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {'objects' if value.dtype.hasobject else f'shape {value.shape}'}"
    name = "empty list" if isinstance(value, list) and not value else type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def whole(flat: Mapping[str, Any], name: str) -> Any:
    """What travelled under `name`, in its form: pieces of the same memory. Raises KeyError where there is no such."""
    if name not in flat:
        inner = [one for one in flat if one.startswith(f"{name}.") and "/" not in one]
        if not inner:
            raise KeyError(name)
        return {one.partition(".")[2]: whole(flat, one) for one in inner}
    rows = flat[name]
    for ending in (LENGTHS, BYTES):
        if (lengths := flat.get(f"{name}{ending}")) is not None:
            pieces = [rows[a:b] for a, b in itertools.pairwise(_ends(lengths))]
            return pieces if ending == LENGTHS else [np.asarray(one).tobytes() for one in pieces]
    return rows


def _ends(lengths: Any) -> list[int]:
    """Where each item begins, and the last one ends."""
    return [0, *itertools.accumulate(int(one) for one in lengths)]


def wholes(flat: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """What travelled under these names, each in its form."""
    return {name: whole(flat, name) for name in names}


def _stem(name: str) -> str:
    """`x` for `x.words` and `x.words/bytes`."""
    return re.split(r"[./]", name)[0]


def names_in(flat: Iterable[str]) -> list[str]:
    """The names of what travelled, without those of what it is made of: `x` for `x.words` and `x.words/bytes`."""
    return list(dict.fromkeys(_stem(name) for name in flat))


def count_in(flat: Mapping[str, Any], name: str) -> int:
    """How many items travelled under `name`; 0 where there is no such."""
    for one in flat:
        if one == name or one.startswith(f"{name}."):
            each = next((flat[one + ending] for ending in (LENGTHS, BYTES) if one + ending in flat), flat[one])
            return int(each.shape[0]) if each.shape else 0
    return 0


def of(flat: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """What of it travelled under these names, as it travels."""
    wanted = frozenset(names)
    return {one: value for one, value in flat.items() if _stem(one) in wanted}


def in_order(flat: Mapping[str, Any], order: Sequence[int] | np.ndarray[Any, Any] | slice) -> Flat:
    """The same items in another order, or some of them, as they travel."""
    table = wholes(flat, names_in(flat))
    return flattened({name: part(value, order) for name, value in table.items()})
