"""Whether a batch may go on with the exercise as it is now: one grader and one set of bars for all its marks."""

from __future__ import annotations

import math

import msgspec
from msgspec import Struct

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord
from tlcourse.grading.grader import Grader


class _Check(Struct):
    """Of a kept check what exercise.yaml decides."""

    id: str
    threshold: float | None = None
    max_points: float | None = None


class _Checks(Struct):
    checks: list[_Check] = []


def same_grader(book: Gradebook, batch: BatchRecord, exercise: LoadedExercise) -> None:
    """Raises UsageError where the grader was changed since, or a mark that counts is by other bars or points."""
    if Grader(exercise).sha256 != batch.grader_sha256:
        raise UsageError(
            f"The grader of {batch.exercise} was changed since batch {batch.id} was begun.",
            cause="a batch is graded by one grader, so that all its marks mean the same.",
            remedy="bring the old grader back, or begin a new batch with --again.",
        )
    if changed := _changed_bar(book, batch, exercise):
        raise UsageError(
            f"The checks of {batch.exercise} were changed since batch {batch.id} was graded: {changed}.",
            cause="exercise.yaml has another bar or other points now, and all marks of a batch are to mean the same.",
            remedy=f"tlcourse ta regrade {batch.exercise} --batch {batch.id} --only all grades everybody by the new "
            "ones, and then give this again; or bring the old exercise.yaml back.",
        )


def _changed_bar(book: Gradebook, batch: BatchRecord, exercise: LoadedExercise) -> str:
    """The first check of somebody's mark that has another bar or other points now; "" if there is none."""
    rules = {rule.id: rule for rule in exercise.about.checks}
    for verdict in book.verdicts(batch.id).values():
        if verdict.outcome == "infra" or not verdict.readable:
            continue
        for check in msgspec.json.decode(book.raw_document(verdict.id), type=_Checks).checks:
            if (rule := rules.get(check.id)) is None:
                continue
            for what, before, after in (
                ("bar", check.threshold, rule.threshold),
                ("points", check.max_points, rule.points),
            ):
                if before is not None and math.isfinite(after) and before != after:
                    return f"{what} of {rule.id} {before:g}, now {after:g}"
    return ""
