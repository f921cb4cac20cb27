"""A grader whose data are drawn once for all submissions of a batch."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

from tlcourse.course.model import LoadedExercise
from tlcourse.execution import items
from tlcourse.grading.grader import Grader
from tlcourse.grading.run_data import Data, Sent

KEPT = 4
"""Seeds whose files are kept: the first run's and those after a near miss are the same for all submissions."""


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
        train, val = self._mapped_all(data.sent.train), self._mapped_all(data.sent.val)
        test = self._mapped_all(items.flattened(data.test))
        return Data(
            train=items.wholes(train, data.train),
            val=items.wholes(val, data.val),
            test=items.wholes(test, data.test),
            sha256=data.sha256,
            sent=Sent(train, val, items.of(test, ["x"])),
        )

    def _mapped_all(self, part: items.Flat) -> items.Flat:
        return {name: self._mapped(array) for name, array in part.items()}

    def _mapped(self, array: np.ndarray) -> np.ndarray:
        if array.nbytes == 0:
            return array
        with tempfile.TemporaryFile(dir=self._folder) as stream:
            np.ascontiguousarray(array).tofile(stream)
            stream.flush()
            return np.asarray(np.memmap(stream, dtype=array.dtype, mode="r", shape=array.shape))
