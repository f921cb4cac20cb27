"""Whether a batch may go on with the exercise as it is now: one grader and one set of rules for all its marks."""

from __future__ import annotations

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord
from tlcourse.grading.grader import Grader
from tlcourse.grading.rules import changes, files_in_rules, kept_rules, rules_of


def same_grader(book: Gradebook, batch: BatchRecord, exercise: LoadedExercise) -> None:
    """Raises UsageError where the grader was changed since, or a mark that counts is by other rules."""
    grader = Grader(exercise)
    if grader.sha256 != batch.grader_sha256:
        raise UsageError(
            f"The grader of {batch.exercise} was changed since batch {batch.id} was begun.",
            cause="a batch is graded by one grader, so that all its marks mean the same.",
            remedy="bring the old grader back, or begin a new batch with --again.",
        )
    if changed := _changed(book, batch, grader, exercise):
        raise UsageError(
            f"What decides about a mark of {batch.exercise} was changed since batch {batch.id} was graded: {changed}.",
            cause="exercise.yaml, or a file that it names, was edited, and all marks of a batch are to mean the same.",
            remedy=f"tlcourse ta regrade {batch.exercise} --batch {batch.id} --only all grades everybody by the new "
            "rules, and then give this again; or bring the old ones back; or begin a new batch with --again.",
        )


def other_rules(book: Gradebook, batch: BatchRecord, exercise: LoadedExercise) -> str:
    """What is otherwise than for a mark that counts, the grader or rules, in words; "" where nothing is."""
    grader = Grader(exercise)
    return "the grader" if grader.sha256 != batch.grader_sha256 else _changed(book, batch, grader, exercise)


def _changed(book: Gradebook, batch: BatchRecord, grader: Grader, exercise: LoadedExercise) -> str:
    now = rules_of(exercise) | files_in_rules(*grader.files_sha256)
    return next(filter(None, (changes(before, now) for before in kept_rules(book, batch.id))), "")
