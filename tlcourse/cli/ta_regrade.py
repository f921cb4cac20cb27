"""`tlcourse ta regrade`: some hand-ins of a batch again, where the batch was graded or elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.batch_place import PlaceName
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
from tlcourse.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tlcourse.grading.batch.engine import Work
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.gradebook.records import BatchRecord


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
    from tlcourse.grading.batch.grading import as_document, grade_round
    from tlcourse.grading.batch.opening import options_of, same_secret
    from tlcourse.grading.grade import Options

    end_runs_when_ended()
    tell = out.note if json else out.say
    with writing(exercise, course, gradebook, batch, f"tlcourse ta regrade {exercise}") as (found, book, record):
        data_seed = data_seed_for(found, secret, seed)
        same_secret(record, data_seed)
        before, handins = _chosen(book, record, only, go_on=go_on)
        where = PlaceName.named(on or record.settings.get("on"))
        options = options_of(record, data_seed, Options())
        where.prove(found, options, len(handins), sandbox_kind.value, trusted=trust)
        book.keep_copy()
        round_ = before or book.begin_regrade(record.id, handins, selection=only, who=who or user(), why=why.strip())
        work = _work(book, record, round_)
        tell(f"Regrade {round_} of batch {record.id}: {len(work)} to grade {where.words()}.")
        side_by_side = min(jobs or where.side_by_side(options.threads), len(work))
        there = (book.path, record.id, round_)
        opened = where.opened(sandbox_kind.value, side_by_side, *there, hand_ins=len(work), trusted=trust)
        with where.leaving(*there), opened as place:
            state = grade_round(
                *(book, record, found, work),
                options=options,
                jobs=side_by_side,
                place=place,
                display=display_for(plain=plain or json),
                round_=round_,
            )
        left = len(book.open_handins(record.id, round_))
        if not left:
            where.forget(*there)
    for line in summary(state):
        tell(line)
    if json:
        out.document({"schema": 1, "regrade": round_, "left": left, "on": where.name, **as_document(state)})
    if left:
        tell(f"{left} ended as a fault of ours: go on with --resume.")
        raise typer.Exit(ExitCode.INFRA)


def _chosen(book: Gradebook, record: BatchRecord, only: str, *, go_on: bool) -> tuple[int, list[int]]:
    """The regrade to go on with (0 for a new one), and ids of hand-ins; raises UsageError where there are none."""
    from tlcourse.grading.gradebook.whom import selected

    before = book.unfinished_regrade(record.id)
    if before is None:
        return 0, [status.handin.id for status in selected(book.statuses(record), only)]
    if go_on:
        return before.id, [handin.id for handin in book.open_handins(record.id, before.id)]
    raise UsageError(
        f"Regrade {before.id} (--only {before.selection}) is not finished.",
        cause="it was stopped, or ended with faults of ours.",
        remedy=f"tlcourse ta regrade {record.exercise} --only '{before.selection}' --resume",
    )


def _work(book: Gradebook, record: BatchRecord, round_: int) -> list[Work]:
    """What is left of a regrade: kept copies, where there are any."""
    from tlcourse.grading.batch.engine import Work

    verdicts = book.verdicts(record.id)
    work = []
    for handin in book.open_handins(record.id, round_):
        verdict = verdicts.get(handin.id)
        work.append(Work(handin, Path(handin.path), verdict.sha256 if verdict else ""))
    return work
