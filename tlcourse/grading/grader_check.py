"""What `author check` finds in graders without any training: data that cannot be graded on, measurements that break."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tlcourse.course.model import LoadedCourse
from tlcourse.errors import InfraError
from tlcourse.grading.grader import Arrays, Data, Grader
from tlcourse.grading.scoring.measurement import Measurement

SIZES = {"train": 8, "val": 8, "test": 8}
OTHER_SIZES = {"train": 12, "val": 10, "test": 16}
_SEED = 0
_FLOAT32 = float(np.finfo(np.float32).max)


def problems_of_graders(course: LoadedCourse) -> list[str]:
    """What is wrong with the graders of a course, as `file:line: what, and what was expected`."""
    problems = []
    for name, exercise in course.exercises.items():
        if exercise.grader is None:
            problems.append(f"{exercise.folder}:1: {name} has no grader, expected graders/{exercise.folder.name}.py")
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of overflow, in predictions that are meant to overflow
                problems += [f"{exercise.grader}:1: {said}" for said in _problems(Grader(exercise))]
        except InfraError as error:
            problems.append(f"{exercise.grader}:1: {error.what}")
    return problems


def _problems(grader: Grader) -> Iterator[str]:
    """Draw a few items, and measure predictions that are legal, however odd; raises InfraError where nothing comes."""
    data = grader.draw(SIZES, _SEED, "mini")
    yield from _problems_of_data(grader, data)
    broken: dict[str, list[str]] = {}
    legal = list(_legal(grader, data.test))
    for words, predictions in legal:
        try:
            grader.measure(data.test, predictions, {})
        except InfraError as error:
            broken.setdefault(error.what, []).append(words)
    if not broken:
        yield from _forgeable(grader, data.test, legal[0][1])
    for what, odd in broken.items():
        which = "any at all" if len(odd) == len(legal) else ", ".join(odd)
        yield f"{what.removesuffix('.')} (predictions: {which}), expected a measurement of all finite ones"


def _problems_of_data(grader: Grader, data: Data) -> Iterator[str]:
    """What would make marks unfair, or a word of exercise.yaml untrue."""
    if grader.draw(SIZES, _SEED, "mini").sha256 != data.sha256:
        yield "`make` gives other data when it is called again with the same seed, expected the same"
    other = grader.draw(OTHER_SIZES, _SEED, "mini")
    for part, size in OTHER_SIZES.items():
        if part not in grader.about.sizes:
            continue
        here, there = len(getattr(data, part)["x"]), len(getattr(other, part)["x"])
        if here == there or (part != "test" and there != size):
            yield f"`make` gives {there} items of {part} where {size} are asked for, expected sizes to be heeded"
    for one, another in (("train", "val"), ("train", "test"), ("val", "test")):
        if any(_repeated(getattr(given, one)["x"], getattr(given, another)["x"]) for given in (data, other)):
            yield f"{one} and {another} are the same items, expected data drawn from seeds of their own (split_seeds)"
    unseen = sorted({*data.train, *data.val} - {"x", *grader.about.targets})
    if unseen:
        yield f"train holds {unseen}, which no solution is given, expected x and the targets of exercise.yaml alone"


class _Forged(dict[str, float]):
    """Probes of whatever name, all of one value: what a hostile submission could report."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self._value = value

    def get(self, name: str, default: Any = None) -> Any:
        """The value."""
        return self._value

    def __missing__(self, name: str) -> float:
        return self._value

    def __contains__(self, name: object) -> bool:
        return True


def _forgeable(grader: Grader, test: Arrays, predictions: Mapping[str, np.ndarray[Any, Any]]) -> Iterator[str]:
    """Checks that move with what is reported, and do not say so."""
    probes: dict[str, Mapping[str, float]] = {"none": {}}
    probes |= {f"{value:g} under every name": _Forged(value) for value in (0.0, 0.5, 1.0, 1e6)}
    found: list[Mapping[str, Measurement]] = []
    for words, one in probes.items():
        try:
            found.append(grader.measure(test, predictions, one))
        except InfraError as error:
            yield f"{error.what.removesuffix('.')} (probes: {words}), expected a measurement of any"
            return
    for name, first in found[0].items():
        if not first.self_reported and len({(one[name].value, one[name].interval) for one in found}) > 1:
            yield f"`{name}` rests on probes, which student code could forge, expected self_reported=True"


def _repeated(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> bool:
    """Whether the one begins as the other, or holds all of its items; x of a few values does so by chance."""
    one, other = ([row.tobytes() for row in np.ascontiguousarray(part)] for part in (x, y))
    fewer, more = sorted((one, other), key=len)
    if fewer == more[: len(fewer)]:
        return len(set(fewer)) > 2
    return len(set(fewer)) == len(fewer) and len(set(more)) == len(more) and set(fewer) <= set(more)


def _legal(grader: Grader, test: Arrays) -> Iterator[tuple[str, Mapping[str, np.ndarray[Any, Any]]]]:
    """Predictions that a submission may give: of the right names, shapes and type, and finite."""
    outputs, n = grader.about.outputs, len(test["x"])
    rng = np.random.default_rng(1)

    def filled(value: Any) -> dict[str, np.ndarray[Any, Any]]:
        return {o.name: np.broadcast_to(np.float32(value), (n, *o.shape)).copy() for o in outputs}

    yield "all 0", filled(0)
    yield "all 1", filled(1)
    for value in (1e30, -1e30, _FLOAT32, -_FLOAT32):
        yield f"all {value:.3g}", filled(value)
    mixed = {name: np.where(rng.random(one.shape) < 0.5, one, -one) for name, one in filled(_FLOAT32).items()}
    yield "3.4e+38 of either sign", mixed
    yield "drawn at random", {o.name: rng.normal(size=(n, *o.shape)).astype(np.float32) for o in outputs}
    yield "the labels", {o.name: _like_labels(test, n, o.shape, grader.about.targets) for o in outputs}


def _like_labels(test: Arrays, n: int, shape: tuple[int, ...], targets: tuple[str, ...]) -> np.ndarray[Any, Any]:
    """A label of that shape, or a class as logits of 100 and 0; 0 where no label fits."""
    for label in (np.asarray(test[name]) for name in targets if name in test):
        if label.shape == (n, *shape) and label.dtype.kind in "biuf":
            return np.asarray(label, np.float32)
        if label.shape == (n,) and label.dtype.kind in "iu" and len(shape) == 1:
            return np.where(np.arange(shape[0]) == (label - label.min())[:, None], np.float32(100), np.float32(0))
    return np.zeros((n, *shape), np.float32)
