"""Opening the gradebook for the staff's commands: which exercise, which batch; and writing what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli.exercise import find
from tlcourse.errors import UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.gradebook.records import BatchRecord

BatchNumber = Annotated[
    int | None, typer.Option("--batch", metavar="NUMBER", help="A batch of the exercise; default: the newest.")
]


@contextlib.contextmanager
def reading(
    exercise: str, course: Path | None, gradebook: Path | None, batch: int | None
) -> Iterator[tuple[LoadedExercise, Gradebook, BatchRecord]]:
    """The exercise, the gradebook open for reading, and the batch that was chosen; raises UsageError."""
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.paths import gradebook_file

    found = find(exercise, course)
    with Gradebook.reading(gradebook or gradebook_file()) as book:
        yield found, book, chosen(book, found.about.id, batch)


@contextlib.contextmanager
def writing(
    exercise: str, course: Path | None, gradebook: Path | None, batch: int | None, command: str
) -> Iterator[tuple[LoadedExercise, Gradebook, BatchRecord]]:
    """The same, open for writing by `command`; there must be a gradebook already."""
    from tlcourse.grading.gradebook.file import must_exist
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.paths import gradebook_file

    found = find(exercise, course)
    with Gradebook.writing(must_exist(gradebook or gradebook_file()), command) as book:
        yield found, book, chosen(book, found.about.id, batch)


def chosen(book: Gradebook, exercise: str, number: int | None) -> BatchRecord:
    """The batch of that number, which must be of the exercise; else its newest."""
    if number is None:
        return book.latest_batch(exercise)
    batch = book.batch(number)
    if batch.exercise != exercise:
        raise UsageError(
            f"Batch {number} is of {batch.exercise}, not of {exercise}.", remedy="name the other exercise."
        )
    return batch


def write(path: Path, data: bytes) -> None:
    """Write a file as a whole; raises UsageError."""
    from tlcourse.grading.report.written import replace_file

    try:
        replace_file(path, data)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.",
            cause="its folder is not there, the disk is full, or permissions are missing.",
            remedy="name another file.",
        ) from None
