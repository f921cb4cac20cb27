"""`tlcourse ta regrade`: some hand-ins of a batch again, where the batch was graded or elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.marks_book import BatchNumber, writing
from tlcourse.cli.options import CourseFolder, ExerciseName, Json, Plain, Seed
from tlcourse.cli.staff_options import (
    BatchSandboxKind,
    BatchSandboxName,
    BatchWhere,
    GradebookFile,
    Jobs,
    SecretFile,
    Trust,
    Who,
    data_seed_for,
    end_runs_when_ended,
    user,
)
from tlcourse.errors import ExitCode

if TYPE_CHECKING:
    pass


def regrade(
    exercise: ExerciseName,
    only: Annotated[str, typer.Option("--only", metavar="WHICH", help="infra, fail, another outcome, all, or WHO.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    go_on: Annotated[bool, typer.Option("--resume", help="Go on with a regrade that was stopped.")] = False,
    batch: BatchNumber = None,
    jobs: Jobs = None,
    sandbox_kind: BatchSandboxName = BatchSandboxKind.AUTO,
    trust: Trust = False,
    secret: SecretFile = None,
    seed: Seed = None,
    on: BatchWhere = None,
    who: Who = None,
    gradebook: GradebookFile = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Grade some hand-ins of a batch again, as they were handed in, on the same data; earlier results stay."""
    from tlcourse.cli.batch_display import display_for, summary
    from tlcourse.grading.batch.backend import Backend
    from tlcourse.grading.batch.run import as_document
    from tlcourse.grading.batch.run import regrade as graded_again

    end_runs_when_ended()
    tell = out.note if json else out.say
    with writing(exercise, course, gradebook, batch, f"tlcourse ta regrade {exercise}") as (found, book, record):
        backend = Backend.named(on or record.settings.get("on"))
        round_, state = graded_again(
            *(book, record, found, data_seed_for(found, secret, seed), only),
            go_on=go_on,
            why=why.strip(),
            who=who or user(),
            jobs=jobs,
            backend=backend,
            sandbox_kind=sandbox_kind.value,
            trusted=trust,
            tell=tell,
            display=lambda: display_for(plain=plain or json),
        )
        left = len(book.open_handins(record.id, round_))
    for line in summary(state):
        tell(line)
    if json:
        out.document({"schema": 1, "regrade": round_, "left": left, "on": backend.name, **as_document(state)})
    if left:
        tell(f"{left} ended with an internal error: continue with --resume.")
        raise typer.Exit(ExitCode.INFRA)
