"""`tlcourse pack` and `collect`: a class in a folder that somebody else's scheduler serves, and its verdicts back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tlcourse.cli.batch import People, Start, Training, batch
from tlcourse.cli.options import CourseFolder, ExerciseName, Json, Plain
from tlcourse.cli.staff_options import BatchSeed, GradebookFile, GradingOptions, PublicMarks, SecretFile, Who
from tlcourse.errors import UsageError


def pack(
    exercise: ExerciseName,
    submissions: Annotated[Path, typer.Argument(metavar="SUBMISSIONS", help="The platform's ZIP, or a folder.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; made if there is none.")],
    people: People,
    start: Start,
    how: GradingOptions,
    training: Training,
    gradebook: GradebookFile = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Write a class into a folder for any scheduler, or a friend with a GPU: `sh run.sh` there trains what is in it.

    No label, no grader and no secret is in it. Bring it back, results and all: tlcourse collect FOLDER
    """
    from tlcourse.grading.batch.backend import PACKED

    if how.on is not None:
        raise UsageError("pack runs nothing, so --on says nothing.", remedy="leave --on away.")
    there = msgspec.structs.replace(how, on=f"{PACKED}{folder.resolve()}")
    batch(exercise, submissions, people, start, there, training, None, gradebook, course, json, plain)


def collect(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="One that tlcourse pack made, with results in it.")],
    gradebook: GradebookFile = None,
    secret: SecretFile = None,
    seed: BatchSeed = None,
    public_marks: PublicMarks = False,
    out_folder: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Feedback, feedback.zip and reports go there.")
    ] = None,
    who: Who = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Grade what was run in a folder; what needs a further run is written into it."""
    from tlcourse.grading.batch.backend import PACKED
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.paths import gradebook_file

    name = f"{PACKED}{folder.resolve()}"
    path = gradebook or gradebook_file()
    with Gradebook.reading(path) as book:
        packed = [one for one in book.batches() if str(one.settings.get("on", "")).startswith(PACKED)]
    found = [one for one in packed if one.settings["on"] == name]
    if not found:
        known = ", ".join(str(one.settings["on"]).removeprefix(PACKED) for one in packed) or "none"
        raise UsageError(
            f"No batch of {path} was packed into {folder.resolve()}.",
            cause=f"it came back to another place, or another gradebook was meant. Packed were: {known}.",
            remedy="put the folder where it was made, or name the gradebook: --gradebook FILE",
        )
    record = found[-1]
    how = GradingOptions(secret=secret, who=who, on=name, seed=seed, public_marks=public_marks)
    start = Start(go_on=True)
    batch(
        *(record.exercise, Path(record.source), People(), start, how, Training(), out_folder, gradebook, course),
        *(json, plain),
    )
