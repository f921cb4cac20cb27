"""What one grading is made on: data from a grader or a generator, checked on receipt, and as runs are given them."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.model import Exercise, LoadedExercise
from tlcourse.data import public_arrays
from tlcourse.errors import InfraError
from tlcourse.execution import arrays, items

Arrays = dict[str, Any]
"""Arrays by name; what is ragged is a list of them, of texts one of bytes, and `x` may be a table (`items.py`)."""


class Sent(Struct, frozen=True):
    """What runs are given, as it travels: plain arrays (`items.flattened`), the same objects for all runs."""

    train: items.Flat
    val: items.Flat
    test_inputs: items.Flat
    """The inputs alone; each run is given them in an order of its own, by those who hand them over."""


class Data(Struct, frozen=True):
    """What one grading is made on. `test` holds labels: it never leaves this process.

    Where the hidden data of an exercise are not here, as in a student's copy, it may be the validation data.
    """

    train: Arrays
    val: Arrays
    test: Arrays
    sha256: str
    sent: Sent


def grader_failed(about: Exercise, what: str) -> InfraError:
    """The error for a mistake in a grader file; `what` says which."""
    return InfraError(
        f"The grader of {about.id} failed: {what}.",
        cause="a mistake in the grader file; no hand-in is marked by it.",
        remedy="tlcourse author check",
    )


def public_data(exercise: LoadedExercise, seed: int, variant: str) -> Data:
    """What a copy of the course without graders trains on: the exercise's synthetic or real data, and no test set."""
    try:
        return as_handed_over(exercise.about, hashed(*public_arrays(exercise, variant, seed), {}))
    except items.FormError as error:
        raise grader_failed(exercise.about, str(error)) from None


def as_handed_over(about: Exercise, data: Data) -> Data:
    """Without what only the grader needs: the files that a worker reads hold x and the targets, and nothing else."""
    names = ("x", *about.targets)
    train, val = ({name: part[name] for name in names} for part in (data.train, data.val))
    sent = replace(data.sent, train=items.of(data.sent.train, names), val=items.of(data.sent.val, names))
    return replace(data, train=train, val=val, sent=sent)


def data_received(about: Exercise, made: Any, *, on_validation: bool) -> Data:
    """Data as a grader made them, once it is sure that a worker can be given them; raises InfraError."""
    try:
        train, val, test = made
        if test is None and on_validation:
            test = val
        parts = {"train": dict(train), "val": dict(val), "test": dict(test)}
    except (TypeError, ValueError):
        raise grader_failed(about, "`make` gave no three tables of arrays, expected train, val and test") from None
    for part, given in parts.items():
        wanted = ("x",) if part == "test" else ("x", *about.targets)
        if missing := [name for name in wanted if name not in given]:
            raise grader_failed(
                about, f"its data lack {missing} in {part}, expected x and every target of exercise.yaml"
            )
    try:
        data = hashed(parts["train"], parts["val"], parts["test"])
    except items.FormError as error:
        raise grader_failed(about, str(error)) from None
    sent = {"train": data.sent.train, "val": data.sent.val, "test": data.sent.test_inputs}
    for part, flat in sent.items():
        for name in ("x",) if part == "test" else ("x", *about.targets):
            _require_same_form(about, part, name, flat, sent["train"])
    return data


def _require_same_form(about: Exercise, part: str, name: str, given: items.Flat, train: items.Flat) -> None:
    """Raises InfraError where something cannot be handed to a worker, or is of another form than that of train."""
    here, first = items.of(given, [name]), items.of(train, [name])
    if here.keys() != first.keys():
        forms = f"{', '.join(sorted(here))} in {part} and {', '.join(sorted(first))} in train"
        raise grader_failed(about, f"`{name}` is {forms}, expected the same")
    n = items.count_in(given, name)
    for one, array in here.items():
        if array.ndim == 0 or n == 0 or n != items.count_in(given, "x"):
            said = f"has shape {array.shape}" if here.keys() == {name} else f"has {n} items"
            raise grader_failed(about, f"`{one}` of {part} {said}, expected as many items as x, and some")
        if (array.dtype, array.shape[1:]) != (first[one].dtype, first[one].shape[1:]):
            forms = " and ".join(
                f"{form.dtype}{list(form.shape[1:])} in {where}"
                for where, form in ((part, array), ("train", first[one]))
            )
            raise grader_failed(about, f"an item of `{one}` is {forms}, expected the same")
        try:
            if array.dtype.kind not in "biuf":
                raise TypeError
            arrays.pack({one: array[:1]})
        except Exception:
            raise grader_failed(about, f"`{one}` of {part} has dtype {array.dtype}, which no tensor has") from None


def hashed(train: Arrays, val: Arrays, test: Arrays) -> Data:
    """Data with its hash; raises FormError."""
    digest, flat = hashlib.sha256(), []
    for where, given in (("train", train), ("val", val), ("test", test)):
        try:
            flat.append(part := items.flattened(given))
        except items.FormError as error:
            raise items.FormError(f"in {where} {error}") from None
        for name in sorted(part):
            digest.update(f"{name}{part[name].dtype}{part[name].shape}".encode())
            digest.update(np.ascontiguousarray(part[name]).reshape(-1).view(np.uint8).data)
    sent = Sent(flat[0], flat[1], items.of(flat[2], ["x"]))
    made = [items.wholes(one, part) for one, part in zip(flat, (train, val, test), strict=True)]
    return Data(made[0], made[1], made[2], digest.hexdigest(), sent)
