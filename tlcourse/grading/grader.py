"""A grader file of the staff: `make` draws the data, `measure` looks at the predictions. NumPy, on the trusted side."""

from __future__ import annotations

import hashlib
import importlib.util
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from msgspec import Struct

from tlcourse.course.model import LoadedCourse, LoadedExercise
from tlcourse.data import variants
from tlcourse.errors import InfraError, UnableError
from tlcourse.grading.scoring.measurement import Measurement

Arrays = dict[str, np.ndarray[Any, Any]]


class Data(Struct, frozen=True):
    """What one grading is made on. `test` holds labels: it never leaves this process."""

    train: Arrays
    val: Arrays
    test: Arrays
    sha256: str

    def test_inputs(self, order: np.ndarray[Any, Any]) -> Arrays:
        """The inputs alone, shuffled: `order` puts predictions back beside their labels."""
        return {"x": self.test["x"][order]}


class Grader:
    """The grader of one exercise."""

    def __init__(self, exercise: LoadedExercise) -> None:
        if exercise.grader is None:
            raise UnableError(
                f"There is no grader for {exercise.about.id} here.",
                cause="graders are kept by the course's staff, and this copy of the course was made without them.",
                remedy=f"tlcourse run {exercise.about.id} trains the solution; your course grades it.",
            )
        self.about = exercise.about
        self.sha256 = hashlib.sha256(exercise.grader.read_bytes()).hexdigest()
        self._module = _load(exercise.grader)

    def make(self, seed: int, variant: str) -> Data:
        """The data of `seed`; the same seed gives the same bytes."""
        return _hashed(*self._module.make(dict(self.about.sizes), seed, variant))

    def kinds(self, variant: str) -> dict[str, Measurement]:
        """What each check rests on (kind and n), from measuring predictions that are all zero."""
        test = self._module.make(dict(self.about.sizes), 0, variant)[2]
        made = {o.name: np.zeros((len(test["x"]), *o.shape), np.float32) for o in self.about.outputs}
        return self.measure(test, made, {})

    def measure(
        self, test: Arrays, predictions: Mapping[str, np.ndarray[Any, Any]], probes: Mapping[str, float]
    ) -> dict[str, Measurement]:
        """One measurement for every check of the exercise; raises InfraError where the grader gives others."""
        found: dict[str, Measurement] = self._module.measure(test, predictions, probes)
        expected = {check.id for check in self.about.checks}
        if set(found) != expected:
            raise InfraError(
                f"The grader of {self.about.id} measured {sorted(found)}, expected {sorted(expected)}.",
                cause="graders/ and exercise.yaml do not belong together.",
                remedy="tlcourse author check",
            )
        return found


def public_data(exercise: LoadedExercise, seed: int, variant: str) -> Data:
    """What a copy of the course without graders trains on: the exercise's synthetic or real data, and no test set."""
    return _hashed(*variants.public(exercise.about, variant, seed), {})


def problems_of_graders(course: LoadedCourse) -> list[str]:
    """What is wrong with the graders of a course: each must load, draw data, and measure what the exercise checks."""
    problems = []
    for name, exercise in course.exercises.items():
        if exercise.grader is None:
            problems.append(f"{exercise.folder}:1: {name} has no grader, expected graders/{exercise.folder.name}.py")
            continue
        try:
            _try(Grader(exercise))
        except InfraError as error:
            problems.append(f"{exercise.grader}:1: {error.what}")
    return problems


def _try(grader: Grader) -> None:
    """Draw a few items, and measure predictions of the right shapes."""
    try:
        data = _hashed(*grader._module.make({"train": 8, "val": 8, "test": 8}, 0, "mini"))
        n = len(data.test["x"])
        made = {o.name: np.zeros((n, *o.shape), np.float32) for o in grader.about.outputs}
        missing = [name for name in grader.about.targets if name not in data.train]
        if missing:
            raise InfraError(f"its data lack {missing}, expected every target of exercise.yaml")
        grader.measure(data.test, made, {})
    except InfraError:
        raise
    except Exception as error:
        raise InfraError(f"it fails on eight items: {type(error).__name__}: {error}") from error


def _hashed(train: Arrays, val: Arrays, test: Arrays) -> Data:
    digest = hashlib.sha256()
    for arrays in (train, val, test):
        for name in sorted(arrays):
            digest.update(f"{name}{arrays[name].dtype}{arrays[name].shape}".encode())
            digest.update(np.ascontiguousarray(arrays[name]).data)
    return Data(train, val, test, digest.hexdigest())


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tlcourse_grader_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InfraError(f"The grader {path} cannot be loaded.", remedy="tlcourse author check")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InfraError(
            f"The grader {path.name} cannot be loaded: {type(error).__name__}: {error}.",
            cause="a mistake in the grader file.",
            remedy="tlcourse author check",
        ) from error
    return module


# -- shared by all submissions of a batch ------------------------------------------------------------------------------

KEPT = 4
"""Seeds whose files are kept: the first run's and those after a near miss are the same for all submissions."""


class _SharedData(Data, frozen=True):
    """Data whose shuffled test inputs are made once: every submission of a seed gets them in the same order."""

    shuffled: dict[bytes, Arrays]
    lock: Any
    mapped: Any

    def test_inputs(self, order: np.ndarray[Any, Any]) -> Arrays:
        """The inputs alone, shuffled; the same object for the same order."""
        key = hashlib.sha256(np.ascontiguousarray(order).data).digest()
        with self.lock:
            if key not in self.shuffled:
                self.shuffled[key] = self.mapped(super().test_inputs(order))
            return self.shuffled[key]


class SharedGrader(Grader):
    """A grader whose data lie in files of this process's own, mapped into memory.

    The arrays take address space, not memory: the kernel keeps what is read often, and drops it when memory is short.
    Threads that need the same seed wait for the first of them.
    """

    def __init__(self, exercise: LoadedExercise, folder: Path, kept: int = KEPT) -> None:
        """`folder` is empty, this user's alone, and removed by the caller."""
        super().__init__(exercise)
        self._folder = folder
        self._kept = kept
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[int, str], Data] = OrderedDict()
        self.drawn = 0

    def make(self, seed: int, variant: str) -> Data:
        """The data of `seed`, drawn at most once while it is kept."""
        with self._lock:
            data = self._made.get((seed, variant))
            if data is None:
                data = self._on_disk(super().make(seed, variant))
                self.drawn += 1
                self._made[(seed, variant)] = data
                while len(self._made) > self._kept:
                    self._made.popitem(last=False)
            self._made.move_to_end((seed, variant))
            return data

    def _on_disk(self, data: Data) -> Data:
        """The same arrays, mapped read-only; their files are unlinked at once, so that nothing of them can be found."""
        return _SharedData(
            train=self._mapped_all(data.train),
            val=self._mapped_all(data.val),
            test=self._mapped_all(data.test),
            sha256=data.sha256,
            shuffled={},
            lock=threading.Lock(),
            mapped=self._mapped_all,
        )

    def _mapped_all(self, arrays: Arrays) -> Arrays:
        return {name: self._mapped(array) for name, array in arrays.items()}

    def _mapped(self, array: np.ndarray) -> np.ndarray:
        if array.nbytes == 0:
            return array
        with tempfile.TemporaryFile(dir=self._folder) as stream:
            np.ascontiguousarray(array).tofile(stream)
            stream.flush()
            return np.asarray(np.memmap(stream, dtype=array.dtype, mode="r", shape=array.shape))
