"""One round of a batch from end to end: shared data, threads, display; used by a batch and by a regrade."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from tlcourse.course.model import LoadedExercise
from tlcourse.grading.batch.engine import Engine, Work, full_disk_explained
from tlcourse.grading.batch.place import Place
from tlcourse.grading.batch.state import BatchState, state_of
from tlcourse.grading.grade import Grading, Options
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.kept import Kept
from tlcourse.grading.gradebook.records import BatchRecord
from tlcourse.grading.shared_data import SharedGrader
from tlcourse.sandbox.scratch import scratch_folder


class Display(Protocol):
    """What a person sees meanwhile."""

    def show(self, read: Callable[[], BatchState]) -> None:
        """Called often; it reads the state when it has something to draw."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def grade_round(
    book: Gradebook,
    batch: BatchRecord,
    exercise: LoadedExercise,
    work: Sequence[Work],
    *,
    options: Options,
    jobs: int,
    place: Place,
    display: Display,
    round_: int = 0,
) -> BatchState:
    """Grade all of `work`; returns the state of the whole batch. What was recorded stays, however this ends.

    Raises InfraError where the disk is full or the gradebook cannot be written, UnableError where a device is missing.
    """
    if work:
        with full_disk_explained(), scratch_folder("run") as folder:
            kept = Kept(book.path)
            kept.sweep()
            engine = Engine(
                book,
                batch.id,
                exercise,
                Grading(exercise, options, place.run, SharedGrader(exercise, folder)),
                kept,
                jobs=min(jobs, len(work)),
                secret=batch.seed_source != "public",
                variant=batch.variant,
                round_=round_,
                retries=place.retries,
                stop_runs=place.stop,
                says=place.says,
                show=lambda: display.show(lambda: state_of(book, batch)),
            )
            try:
                engine.run(work)
            finally:
                display.close()
    return state_of(book, batch)


def as_document(state: BatchState) -> dict[str, Any]:
    """The state for `--json`."""
    document: dict[str, Any] = msgspec.to_builtins(state)
    return {**document, "waiting": state.waiting}
