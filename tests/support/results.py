"""A result as a gradebook keeps it, for tests that need one and grade nothing."""

from __future__ import annotations

from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.result import CheckResult, Provenance, Result, SubmissionRecord
from tlcourse.storage import now


def result(outcome="pass", points=2.0):
    """Of the exercise `line` of the example course, with one check."""
    check = CheckResult("y", "Error of y", outcome == "pass", 0.5, (0.4, 0.6), 0.1, 0.1, 9, points, 2.0)
    return Result(
        exercise="line",
        variant="mini",
        submission=SubmissionRecord("/somewhere", "00"),
        outcome=outcome,
        points=points,
        max_points=2.0,
        checks=[check],
        runs=[],
        messages=[],
        provenance=Provenance("0", "0", "g", "d"),
        started_at="",
        finished_at="",
    )


def overridden(book: Gradebook, target: str, points: float | None, *, who: str, why: str) -> None:
    """A decision as older versions kept it, under any form of a target; `ta override` goes through `decide`."""
    with book.appending() as db:
        db.execute(
            "INSERT INTO overrides (exercise, target, points, why, who, at) VALUES ('line', ?, ?, ?, ?, ?)",
            (target, points, why, who, now()),
        )
