"""One drawing of the data for a whole batch: made once a seed, used by every submission, kept small in memory."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from tlcourse.course.model import LoadedExercise
from tlcourse.grading.grader import Arrays, Data, Grader

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
